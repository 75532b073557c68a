/*
 * queue.h
 *		The timers of the present in memory: for each topic a heap by due time, kept up to
 *		date from the bucket tables. Private to the timer files.
 *
 * A row of a bucket has been handled if its transaction is visible in the bucket's `seen`
 * and it was due until `fired_until` (timer_progress), or if it is listed in timer_ahead.
 * The queue holds the rows that have not, of buckets that are loaded: those visible in
 * `loaded_to` and due before `due_limit`. It is never half true: whoever cannot finish
 * what he began forgets it.
 */
#ifndef ORDER_EXT_TIMER_QUEUE_H
#define ORDER_EXT_TIMER_QUEUE_H

#include "postgres.h"

#include "lib/pairingheap.h"
#include "storage/block.h"
#include "storage/itemptr.h"
#include "utils/hsearch.h"
#include "utils/rel.h"
#include "utils/snapshot.h"
#include "utils/timestamp.h"

#include "message/log/log.h"
#include "message/timer/buckets.h"

/* How long before its period begins a bucket is loaded, in slices of so many blocks. */
#define TIMER_LOAD_AHEAD (10 * USECS_PER_SEC)
#define TIMER_LOAD_BLOCKS 256

typedef struct QueuedTimer
{
	pairingheap_node node;
	TimestampTz due_at;
	int64		message_id;
	ItemPointerData tid;
	int16		bucket;
	int32		topic_id;
} QueuedTimer;

/* A bucket that is being read: what of it is in the heaps already. */
typedef struct BucketLoad
{
	LogSnapshot *upto;			/* NULL = not being read */
	TimestampTz due_limit;
	BlockNumber next_block;
	int64	   *ahead;			/* message ids of its timer_ahead, sorted */
	int64		n_ahead;
} BucketLoad;

typedef struct QueueBucket
{
	/* timer_progress, newest row; seen is NULL where there is none */
	int64		seq;
	LogSnapshot *seen;
	TimestampTz fired_until;

	/* timer_ahead: the newest row, and up to when they reach (DT_NOBEGIN: none) */
	int64		ahead_seq;
	TimestampTz ahead_until;

	/* what of it is in the heaps; loaded_to is NULL if nothing was loaded whole */
	LogSnapshot *loaded_to;
	TimestampTz due_limit;
	int64		queued;
	bool		holds_later;	/* rows due after due_limit were passed over */
	uint64		look_until;		/* not its time: until these transactions have ended; or 0 */
	BucketLoad	load;

	TimestampTz empty_at;		/* no attempt to empty it before this */
} QueueBucket;

typedef struct TimerQueue
{
	MemoryContext context;
	MemoryContext timers;		/* slab of QueuedTimers */
	HTAB	   *topics;			/* each topic's timers */
	pairingheap *order;			/* the topics that have some, by their first one */
	QueueBucket buckets[TIMER_BUCKETS];
	int64		period;			/* when it was last brought up to date */

	/* The newest row of timer_firings: whoever fires or empties adds one. */
	int64		firings_seq;
	TimestampTz firings_at;
	int64		fired;
	int64		lateness[128];

	bool		busy;			/* in use; found set, an error has ended that use */

	TimestampTz far_floor;		/* nothing in timers_far is due before this, as was true */
	TimestampTz far_now_at;		/* until here from the present on, */
	TimestampTz far_all_at;		/* until here at all */
	TimestampTz far_pause_until;	/* what is due there, others have locked */
} TimerQueue;

/*
 * The queue of this process, true to what is committed: forgotten if another process has
 * fired meanwhile. With the timers lock held, an active snapshot taken after it, and SPI.
 */
extern TimerQueue *timer_queue_current(TimestampTz now);

/* The use of it has ended well; one that does not, spoils it. */
extern void timer_queue_done(TimerQueue *queue);

/* Forget it. */
extern void timer_queue_forget(void);

/* Bring a loaded bucket up to the active snapshot. */
extern void timer_queue_catch_up(TimerQueue *queue, int bucket, Relation rel);

/* The heaps of a new queue, in the current memory context; adding a timer. */
extern void timer_heaps_make(TimerQueue *queue);
extern void timer_heaps_add(TimerQueue *queue, QueuedTimer *timer);

/* When the earliest timer is due, DT_NOEND if there is none. */
extern TimestampTz timer_queue_first_due(TimerQueue *queue);

/* Take out timers that are due, at most limit, in turn of each topic; returns how many. */
extern int	timer_queue_take(TimerQueue *queue, int limit, TimestampTz now, QueuedTimer **taken);

/* A copy in the queue's memory; for snapshots that outlive the transaction. */
extern LogSnapshot *timer_queue_copy_snapshot(const TimerQueue *queue, const LogSnapshot *snapshot);

/* Let go of a bucket until its period comes. */
extern void timer_queue_unload(TimerQueue *queue, int bucket);

/* When the next bucket with rows in it has to be loaded. */
extern TimestampTz timer_queue_next_load(TimerQueue *queue, TimestampTz now);

#endif							/* ORDER_EXT_TIMER_QUEUE_H */

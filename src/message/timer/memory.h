/*
 * memory.h
 *		What the queue of timers is made of. Private to the timer files.
 *
 * A row of a bucket has been handled if its transaction is visible in the bucket's `seen`
 * and it was due until `fired_until` (timer_progress), or if it is listed in timer_ahead.
 * The queue holds the rows that have not, of buckets that are loaded: those visible in
 * `loaded_to` and due before `due_limit`.
 */
#ifndef ORDER_EXT_TIMER_MEMORY_H
#define ORDER_EXT_TIMER_MEMORY_H

#include "postgres.h"

#include "lib/pairingheap.h"
#include "storage/block.h"
#include "storage/itemptr.h"
#include "utils/hsearch.h"
#include "utils/timestamp.h"

#include "message/base/snapshots.h"
#include "message/timer/buckets.h"

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

/* A copy in the queue's memory; for snapshots that outlive the transaction. */
extern LogSnapshot *timer_memory_copy_snapshot(const TimerQueue *queue,
											   const LogSnapshot *snapshot);

#endif							/* ORDER_EXT_TIMER_MEMORY_H */

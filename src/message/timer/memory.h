/*
 * memory.h
 *		The data structures of the queue of timers. Private to the timer files.
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

#include "core/snapshots.h"
#include "message/timer/buckets.h"

typedef struct QueuedTimer
{
	TimestampTz due_at;
	int64		message_id;
	ItemPointerData tid;
	int16		bucket;
} QueuedTimer;

/* A bucket that is being read: which of its rows are already in the heaps. */
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
	/* newest row of timer_progress; seen is NULL if there is none */
	int64		seq;
	LogSnapshot *seen;
	TimestampTz fired_until;

	/* timer_ahead: the newest row, and the latest due time (DT_NOBEGIN: none) */
	int64		ahead_seq;
	TimestampTz ahead_until;

	/* what is in the heaps; loaded_to is NULL if nothing was loaded completely */
	LogSnapshot *loaded_to;
	TimestampTz due_limit;
	int64		queued;
	bool		holds_later;	/* rows due after due_limit were skipped */
	uint64		look_until;		/* not needed until these transactions have ended; or 0 */
	BucketLoad	load;

	TimestampTz empty_at;		/* do not try to empty it before this */
} QueueBucket;

typedef struct TimerQueue
{
	MemoryContext context;
	HTAB	   *topics;			/* each topic's timers */
	pairingheap *order;			/* the topics that have some, by their first one */
	QueueBucket buckets[TIMER_BUCKETS];
	int64		period;			/* when it was last updated */

	/* The newest row of timer_firings: every firing and emptying adds one. */
	int64		firings_seq;
	TimestampTz firings_at;
	int64		fired;
	int64		lateness[128];

	bool		busy;			/* in use; if found set, an error has ended that use */

	TimestampTz far_next;		/* when there is something to do there, as this turn found; or 0 */
	TimestampTz far_floor;		/* nothing in timers_far is due before this, which was true */
	TimestampTz far_now_at;		/* until here from the present on, */
	TimestampTz far_all_at;		/* until here at all */
	TimestampTz far_pause_until;	/* due timers there are locked by others */

	TimestampTz moved_all_at;	/* search timers_moved from the beginning then */
	bool		moved_looked_back;	/* the last search did so */
	TimestampTz moved_pause_until;	/* due timers there are locked by others */
} TimerQueue;

/* A copy in the queue's memory; for snapshots that outlive the transaction. */
extern LogSnapshot *timer_memory_copy_snapshot(const TimerQueue *queue,
											   const LogSnapshot *snapshot);

#endif							/* ORDER_EXT_TIMER_MEMORY_H */

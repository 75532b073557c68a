/*
 * timer_queue.h
 *		The timers of the present in memory: a heap by due time, kept up to date from the
 *		bucket tables. Private to the timer files.
 *
 * A row of a bucket has been handled if its transaction is visible in the bucket's
 * `seen` and it was due until `fired_until` (timer_progress). The queue holds the rows
 * that have not, of buckets that are loaded: those visible in `loaded_to` and due before
 * `due_limit`. It is never half true: whoever cannot finish what he began forgets it.
 */
#ifndef ORDER_EXT_TIMER_QUEUE_H
#define ORDER_EXT_TIMER_QUEUE_H

#include "postgres.h"

#include "lib/pairingheap.h"
#include "storage/itemptr.h"
#include "utils/rel.h"
#include "utils/snapshot.h"
#include "utils/timestamp.h"

#include "message/log.h"
#include "message/timer_buckets.h"

/* How long before its period begins a bucket is loaded. */
#define TIMER_LOAD_AHEAD (5 * USECS_PER_SEC)

typedef struct QueuedTimer
{
	pairingheap_node node;
	TimestampTz due_at;
	int64		message_id;
	ItemPointerData tid;
	int16		bucket;
} QueuedTimer;

typedef struct QueueBucket
{
	/* timer_progress, newest row; seen is NULL where there is none */
	int64		seq;
	LogSnapshot *seen;
	TimestampTz fired_until;

	/* what of it is in the heap; loaded_to is NULL if nothing was loaded */
	LogSnapshot *loaded_to;
	TimestampTz due_limit;
	int64		queued;

	TimestampTz empty_at;		/* no attempt to empty it before this */
} QueueBucket;

typedef struct TimerQueue
{
	MemoryContext context;
	MemoryContext timers;		/* slab of QueuedTimers */
	pairingheap *heap;
	QueueBucket buckets[TIMER_BUCKETS];

	/* Due when the clock was set back: handled, though it is not time yet. */
	List	   *postponed;		/* of QueuedTimer */

	/* The newest row of timer_firings: whoever fires or empties adds one. */
	int64		firings_seq;
	TimestampTz firings_at;
	int64		fired;
	int64		lateness[128];

	bool		busy;			/* in use; found set, an error has ended that use */

	TimestampTz far_floor;		/* nothing in timers_far is due before this ... */
	TimestampTz far_floor_until;	/* ... as was true a while ago */
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

/* Bring a loaded bucket up to the active snapshot; returns how many timers are new. */
extern int64 timer_queue_catch_up(TimerQueue *queue, int bucket, Relation rel, TimestampTz now);

/* The earliest timer, or NULL; take it out; give it back to the slab. */
extern QueuedTimer *timer_queue_first(TimerQueue *queue);
extern QueuedTimer *timer_queue_pop(TimerQueue *queue);
extern void timer_queue_free(TimerQueue *queue, QueuedTimer *timer);

/* Progress was recorded up to what is loaded. */
extern void timer_queue_mark_seen(TimerQueue *queue, int bucket);

/* Let go of a bucket until its period comes. */
extern void timer_queue_unload(TimerQueue *queue, int bucket);

/* Whether a row of the bucket has been handled, as timer_progress says. */
extern bool timer_is_handled(const QueueBucket *bucket, uint64 xid, TimestampTz due_at);

/* When the next bucket with rows in it has to be loaded. */
extern TimestampTz timer_queue_next_load(TimerQueue *queue, TimestampTz now);

#endif							/* ORDER_EXT_TIMER_QUEUE_H */

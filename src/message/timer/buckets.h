/*
 * buckets.h
 *		The ring of timer buckets: which due time belongs to which table. Private to the timer
 *		files.
 *
 * Time is divided into periods of two minutes; period p is stored in table p % 32. A timer goes
 * to its period's bucket if that is at most 30 periods ahead, otherwise to timers_far. So when
 * period p is over, its bucket receives nothing new for one more period, in which it is emptied,
 * before period p + 32 may begin to fill it.
 */
#ifndef ORDER_EXT_TIMER_BUCKETS_H
#define ORDER_EXT_TIMER_BUCKETS_H

#include "postgres.h"

#include "utils/timestamp.h"

#include "core/append.h"
#include "message/log/append.h"

#define TIMER_BUCKETS 32
#define TIMER_PERIOD (INT64CONST(120) * USECS_PER_SEC)
#define TIMER_RING_AHEAD 30

/* Columns of a bucket table, and of timers_far. */
#define TIMER_MESSAGE_ID 1
#define TIMER_XID 2
#define TIMER_KEY 3
#define TIMER_DUE_AT 4
#define TIMER_PUBLISHED_AT 5
#define TIMER_TOPIC_ID 6
#define TIMER_BOUND 7
#define TIMER_PAYLOAD 8
#define TIMER_COLUMNS 8

static inline int64
timer_period(TimestampTz at)
{
	return at / TIMER_PERIOD;
}

static inline int
timer_bucket(int64 period)
{
	return (int) (period % TIMER_BUCKETS);
}

static inline TimestampTz
timer_period_start(int64 period)
{
	return period * TIMER_PERIOD;
}

/* A bucket's table, by name and by Oid. */
extern char *timer_bucket_table(int bucket);
extern Oid	timer_bucket_relation(int bucket);

/* TRUNCATE a bucket's table. */
extern void timer_bucket_truncate(int bucket);

/* A timer's row, read. */
typedef struct DueTimer
{
	LogEntry	entry;
	TimestampTz due_at;
	int16		bound;			/* a status, or TIMER_UNBOUND */
} DueTimer;

/* Append a timer's row to a bucket or to timers_far. */
extern void timer_append(Appender *appender, const DueTimer *timer, uint64 xid);

/*
 * Read n rows of the last query: message_id, key, due_at, published_at, topic_id, bound, payload.
 */
extern void timer_rows_read(uint64 n, DueTimer *timers);

#endif							/* ORDER_EXT_TIMER_BUCKETS_H */

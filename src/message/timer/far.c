/*
 * far.c
 *		timers_far: timers beyond the ring of buckets.
 *
 * They move into the ring one to two periods before they are due, and fire from there. Those that
 * are already due (the server was down, the clock has jumped) fire from here.
 */
#include "compat.h"

#include "access/transam.h"
#include "access/xact.h"
#include "catalog/pg_type.h"

#include "core/append.h"
#include "core/clock.h"
#include "core/internal.h"
#include "core/spi_util.h"
#include "message/timer/far.h"

/*
 * A timer that was put back because its canceler is undecided counts as handled in the bucket it
 * came from. So it never moves into the ring again, which xid = 0 indicates.
 */
#define STAYS_HERE UINT64CONST(0)

/* $1 to $2: the range searched; $3 = now */
static SavedPlan take_far = SAVED_PLAN(
	"DELETE FROM order_ext_internal.timers_far WHERE message_id IN ("
	" SELECT message_id FROM order_ext_internal.timers_far"
	" WHERE due_at >= $1 AND due_at < $2 AND (due_at <= $3 OR xid <> '0')"
	" ORDER BY due_at LIMIT $4 FOR UPDATE SKIP LOCKED)"
	" RETURNING message_id, key, due_at, published_at, topic_id, bound, payload",
	TIMESTAMPTZOID, TIMESTAMPTZOID, TIMESTAMPTZOID, INT8OID);

static SavedPlan first_far = SAVED_PLAN(
	"SELECT due_at, xid = '0' FROM order_ext_internal.timers_far"
	" WHERE due_at >= $1 AND due_at < $2 ORDER BY due_at LIMIT 1",
	TIMESTAMPTZOID, TIMESTAMPTZOID);

/*
 * Deleted rows remain in the index until vacuum may remove them, which can take as long as the
 * oldest snapshot lives. So the search begins where the last one found its first row. A slow
 * transaction may have armed a timer below that, hence the search begins from now every two
 * seconds, and from the beginning once a minute. It ends where nothing needs to be done yet:
 * beyond that, there may be millions of uncommitted timers that would have to be skipped one by
 * one.
 */
#define LOOK_FROM_NOW_EVERY (2 * USECS_PER_SEC)
#define LOOK_AT_ALL_EVERY (60 * USECS_PER_SEC)

/* Timers due before this move into the ring. */
static TimestampTz
horizon(TimestampTz now)
{
	return timer_period_start(timer_period(now) + 2);
}

static bool
far_is_empty(void)
{
	return internal_relation_blocks(internal_relation("timers_far")) == 0;
}

static TimestampTz
find_next(TimerQueue *queue, TimestampTz now)
{
	Datum		args[2];
	TimestampTz next;

	if (clock_pause_is_over(queue->far_all_at, LOOK_AT_ALL_EVERY, now))
	{
		queue->far_floor = DT_NOBEGIN;
		queue->far_all_at = now + LOOK_AT_ALL_EVERY;
	}
	if (clock_pause_is_over(queue->far_now_at, LOOK_FROM_NOW_EVERY, now))
	{
		queue->far_floor = Min(queue->far_floor, now);
		queue->far_now_at = now + LOOK_FROM_NOW_EVERY;
	}
	args[0] = TimestampTzGetDatum(queue->far_floor);
	args[1] = TimestampTzGetDatum(horizon(now));
	if (plan_query_in_snapshot(&first_far, args, NULL, 1) == 0)
	{
		queue->far_floor = horizon(now);
		return far_is_empty() ? DT_NOEND : timer_period_start(timer_period(now) + 1);
	}
	next = queue->far_floor = row_timestamptz(0, 1);
	if (next > now && row_bool(0, 2))
		return next;
	/* due, or to be moved */
	return Max(Min(next, now), Min(queue->far_pause_until, now + UNDECIDED_PAUSE));
}

/* What was found when the batch began still holds: whoever arms one wakes the scheduler. */
TimestampTz
timer_far_next(TimerQueue *queue, TimestampTz now)
{
	return queue->far_next != 0 ? queue->far_next : find_next(queue, now);
}

/* Append those that are due in a period, and not yet, to its bucket. */
static bool
move_period(const DueTimer *timers, int n, int64 period, TimestampTz now)
{
	uint64		xid = U64FromFullTransactionId(GetTopFullTransactionId());
	Appender   *bucket = NULL;
	int			i;

	for (i = 0; i < n; i++)
	{
		if (timers[i].due_at <= now || timer_period(timers[i].due_at) != period)
			continue;
		if (bucket == NULL)
			bucket = append_open(timer_bucket_table(timer_bucket(period)));
		timer_append(bucket, &timers[i], xid);
	}
	if (bucket == NULL)
		return false;
	append_close(bucket);
	return true;
}

FarTimers
timer_far_take(TimerQueue *queue, int limit, TimestampTz now)
{
	Datum		args[4];
	FarTimers	result = {0};
	DueTimer   *timers;
	int			n;
	int			i;

	queue->far_next = find_next(queue, now);
	if (queue->far_next > now)
		return result;
	queue->far_next = 0;
	args[0] = TimestampTzGetDatum(queue->far_floor);
	args[1] = TimestampTzGetDatum(horizon(now));
	args[2] = TimestampTzGetDatum(now);
	args[3] = Int64GetDatum(limit);
	n = (int) plan_write(&take_far, args, NULL, 0);
	/* Those left are being canceled: do not retry at once. */
	queue->far_pause_until = n == 0 ? now + UNDECIDED_PAUSE : 0;
	timers = palloc(sizeof(DueTimer) * Max(n, 1));
	timer_rows_read(n, timers);

	result.moved = move_period(timers, n, timer_period(now), now);
	result.moved |= move_period(timers, n, timer_period(now) + 1, now);
	for (i = 0; i < n; i++)
	{
		if (timers[i].due_at <= now)
			timers[result.n++] = timers[i];
	}
	result.due = timers;
	result.more = result.n > 0 && n == limit;
	return result;
}

void
timer_far_put(TimerQueue *queue, const DueTimer *timers, int n, TimestampTz due_at)
{
	Appender   *far;
	int			i;

	if (n == 0)
		return;
	far = append_open("timers_far");
	for (i = 0; i < n; i++)
	{
		DueTimer	timer = timers[i];

		timer.due_at = due_at;
		timer_append(far, &timer, STAYS_HERE);
	}
	append_close(far);
	queue->far_next = 0;
	queue->far_floor = DT_NOBEGIN;
}

/*
 * moved.c
 *		timers_moved: timers that reschedule_message() has given another time; see moved.h.
 *
 * A row of a bucket cannot be changed, and a second one of the same id would be taken for the
 * first. So a timer that is moved waits here until it is due, however long, and fires from here;
 * whoever takes its row out has it. What stays in the ring is noted in timer_cancels like a
 * canceled one.
 */
#include "compat.h"

#include "catalog/pg_type.h"

#include "core/clock.h"
#include "core/internal.h"
#include "core/spi_util.h"
#include "message/base/wake.h"
#include "message/timer/far.h"
#include "message/timer/moved.h"

/* $1 to $2: the range searched */
static SavedPlan take_moved = SAVED_PLAN(
	"DELETE FROM order_ext_internal.timers_moved WHERE message_id IN ("
	" SELECT message_id FROM order_ext_internal.timers_moved"
	" WHERE due_at >= $1 AND due_at <= $2 ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED)"
	" RETURNING message_id, key, due_at, published_at, topic_id, NULL::smallint, payload",
	TIMESTAMPTZOID, TIMESTAMPTZOID, INT8OID);

static SavedPlan first_moved = SAVED_PLAN(
	"SELECT due_at FROM order_ext_internal.timers_moved"
	" WHERE due_at >= $1 ORDER BY due_at LIMIT 1",
	TIMESTAMPTZOID);

static SavedPlan put_moved = SAVED_PLAN(
	"INSERT INTO order_ext_internal.timers_moved"
	" (message_id, key, due_at, published_at, topic_id, payload) VALUES ($1, $2, $3, $4, $5, $6)",
	INT8OID, INT8OID, TIMESTAMPTZOID, TIMESTAMPTZOID, INT4OID, JSONBOID);

/*
 * Deleted rows remain in the index until vacuum may remove them (see far.c). So what is long past
 * is searched only every two seconds, for rows that were locked or that a slow transaction has
 * committed.
 */
#define LOOK_BACK (5 * USECS_PER_SEC)
#define LOOK_AT_ALL_EVERY (2 * USECS_PER_SEC)

/* SQL objects of an older version have no such table. */
static bool
is_empty(void)
{
	Oid			relation = internal_relation_or_none("timers_moved");

	return !OidIsValid(relation) || internal_relation_blocks(relation) == 0;
}

static TimestampTz
first_due(TimestampTz from)
{
	Datum		args[1] = {TimestampTzGetDatum(from)};

	return plan_query_in_snapshot(&first_moved, args, NULL, 1) == 0 ? DT_NOEND :
		row_timestamptz(0, 1);
}

MovedTimers
timer_moved_take(TimerQueue *queue, int limit, TimestampTz now)
{
	MovedTimers result = {0};
	TimestampTz from = now - LOOK_BACK;
	Datum		args[3];

	if (is_empty() || limit == 0)
		return result;
	queue->moved_looked_back = clock_pause_is_over(queue->moved_all_at, LOOK_AT_ALL_EVERY, now);
	if (queue->moved_looked_back)
	{
		queue->moved_all_at = now + LOOK_AT_ALL_EVERY;
		from = DT_NOBEGIN;
	}
	if (first_due(from) > now)
		return result;
	args[0] = TimestampTzGetDatum(from);
	args[1] = TimestampTzGetDatum(now);
	args[2] = Int64GetDatum(limit);
	result.n = (int) plan_write(&take_moved, args, NULL, 0);
	result.due = palloc(sizeof(DueTimer) * Max(result.n, 1));
	timer_rows_read(result.n, result.due);
	result.more = result.n == limit;
	/* Those left are being moved again, or canceled: do not retry at once. */
	queue->moved_pause_until = result.n == 0 ? now + UNDECIDED_PAUSE : 0;
	return result;
}

TimestampTz
timer_moved_next(TimerQueue *queue, TimestampTz now)
{
	TimestampTz next;

	if (is_empty())
		return DT_NOEND;
	next = first_due(now - LOOK_BACK);
	if (next <= now)
		next = Max(next, Min(queue->moved_pause_until, now + UNDECIDED_PAUSE));
	return queue->moved_looked_back ? next : Min(next, queue->moved_all_at);
}

void
timer_moved_put(const DueTimer *timer, TimestampTz due_at)
{
	Datum		values[6];

	values[0] = Int64GetDatum(timer->entry.message_id);
	values[1] = Int64GetDatum(timer->entry.key);
	values[2] = TimestampTzGetDatum(due_at);
	values[3] = TimestampTzGetDatum(timer->entry.published_at);
	values[4] = Int32GetDatum(timer->entry.topic_id);
	values[5] = JsonbPGetDatum(timer->entry.payload);
	(void) plan_write(&put_moved, values, NULL, 0);
	wake_note_timer(due_at);
}

/*
 * sweep.c
 *		expire_orders: the second, independent path to canceling orders that have timed out.
 *
 * It reads the orders by their deadline and needs neither timers nor workers. So that it need not
 * read the whole history each time, sweep_progress records up to which deadline no unpaid order
 * exists; see safe_deadline() for why that can be known.
 */
#include "compat.h"

#include "access/transam.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/sequence.h"
#include "miscadmin.h"

#include "core/append.h"
#include "core/args.h"
#include "core/call.h"
#include "core/locks.h"
#include "core/spi_util.h"
#include "core/writers.h"
#include "machine/cancel/cancel.h"

/*
 * An order's deadline is later than its creation or extension, but a transaction that has just
 * begun may not have a transaction id yet; this leaves ample time for that.
 */
#define SAFETY_MARGIN (60 * USECS_PER_SEC)

/* A sweep that has not got further is noted no more often than this. */
#define NOTED_EVERY (30 * USECS_PER_SEC)

static SavedPlan read_progress = SAVED_PLAN_NO_ARGS(
	"SELECT * FROM order_ext_internal.sweep_progress ORDER BY seq DESC LIMIT 1");

static SavedPlan forget_progress = SAVED_PLAN(
	"DELETE FROM order_ext_internal.sweep_progress WHERE seq < $1",
	INT8OID);

static SavedPlan read_due = SAVED_PLAN(
	"SELECT order_id, expire_at FROM order_ext_internal.orders"
	" WHERE (expire_at, order_id) > ($1, $2) AND expire_at <= $3 AND status = " CODE(ORDER_CREATED)
	" ORDER BY expire_at, order_id LIMIT $4",
	TIMESTAMPTZOID, INT8OID, TIMESTAMPTZOID, INT8OID);

/* The position of a sweep. */
typedef struct Sweep
{
	TimestampTz now;
	TimestampTz at;				/* deadline and id of the last order examined */
	int64		order_id;
	TimestampTz oldest_left;	/* deadline of the oldest order skipped, or DT_NOEND */
	bool		finished;		/* no more due orders to examine */
} Sweep;

/*
 * The deadline before which no more orders can appear: an order being created or extended by a
 * running transaction has a deadline after that transaction's start. DT_NOBEGIN if unknown.
 */
static TimestampTz
safe_deadline(void)
{
	TimestampTz oldest = writers_oldest_start();

	return oldest == DT_NOBEGIN ? DT_NOBEGIN : oldest - SAFETY_MARGIN;
}

/* Cancel those of the next due orders whose locks are free. */
static int
sweep_some(Sweep *sweep, int limit)
{
	Datum		values[4];
	int64	   *ids = palloc(sizeof(int64) * limit);
	TimestampTz *deadlines = palloc(sizeof(TimestampTz) * limit);
	bool	   *busy = palloc0(sizeof(bool) * limit);
	int			found;
	int			canceled;
	int			i;

	values[0] = TimestampTzGetDatum(sweep->at);
	values[1] = Int64GetDatum(sweep->order_id);
	values[2] = TimestampTzGetDatum(sweep->now);
	values[3] = Int64GetDatum(limit);
	found = (int) plan_query(&read_due, values, NULL, 0);
	sweep->finished = found < limit;
	if (found == 0)
		return 0;
	for (i = 0; i < found; i++)
	{
		ids[i] = row_int64(i, 1);
		deadlines[i] = row_timestamptz(i, 2);
	}
	sweep->order_id = ids[found - 1];
	sweep->at = deadlines[found - 1];

	canceled = cancel_expired(ids, found, busy);
	for (i = 0; i < found; i++)
	{
		if (busy[i])
			sweep->oldest_left = Min(sweep->oldest_left, deadlines[i]);
	}
	return canceled;
}

/*
 * Record up to where nothing is left, and that a sweep has been made. Only one sweep at a time
 * does so, and none under an old snapshot, which may not see the newest progress.
 */
static void
remember_progress(const Sweep *sweep, int64 seq, TimestampTz swept_until, TimestampTz swept_at,
				  TimestampTz safe)
{
	TimestampTz until = sweep->finished ? Min(safe, sweep->now) : swept_until;
	Appender   *progress;
	Datum		values[3];

	if (sweep->oldest_left != DT_NOEND)
		until = Min(until, sweep->oldest_left - 1);
	until = Max(until, swept_until);
	if ((until == swept_until && sweep->now - swept_at < NOTED_EVERY &&
		 sweep->now >= swept_at) || IsolationUsesXactSnapshot())
		return;
	values[0] = Int64GetDatum(seq + 1);
	values[1] = TimestampTzGetDatum(until);
	values[2] = TimestampTzGetDatum(sweep->now);
	progress = append_open("sweep_progress");
	append_row(progress, values, NULL);
	append_close(progress);
	values[0] = Int64GetDatum(seq);
	(void) plan_write(&forget_progress, values, NULL, 0);
}

static Datum
expire_orders_body(FunctionCallInfo fcinfo)
{
	int32		limit = Min(arg_count(fcinfo, 0, "max_orders", PG_INT32_MAX), lock_try_limit());
	bool		single = lock_try(LOCK_SWEEP, 0);
	TimestampTz safe = safe_deadline();
	Sweep		sweep = {.oldest_left = DT_NOEND, .order_id = 0};
	TimestampTz swept_until = DT_NOBEGIN;
	TimestampTz swept_at = 0;
	int64		seq = 0;
	int			canceled = 0;

	if (plan_query(&read_progress, NULL, NULL, 1) > 0)
	{
		seq = row_int64(0, 1);
		swept_until = row_timestamptz(0, 2);
		/* SQL objects of 0.5 do not have it, nor do their rows */
		if (SPI_tuptable->tupdesc->natts > 2 && !row_is_null(0, 3))
			swept_at = row_timestamptz(0, 3);
	}
	sweep.now = GetCurrentTimestamp();
	/* The clock was set back: new deadlines may be earlier than what was swept. */
	if (sweep.now < swept_until)
		swept_until = DT_NOBEGIN;
	sweep.at = swept_until;
	while (canceled < limit && !sweep.finished)
	{
		CHECK_FOR_INTERRUPTS();
		canceled += sweep_some(&sweep, limit - canceled);
	}
	if (single)
		remember_progress(&sweep, seq, swept_until, swept_at, safe);
	PG_RETURN_INT32(canceled);
}

PG_FUNCTION_INFO_V1(order_ext_expire_orders);
Datum
order_ext_expire_orders(PG_FUNCTION_ARGS)
{
	return api_call(fcinfo, expire_orders_body);
}

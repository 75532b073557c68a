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
#include "utils/backend_status.h"

#include "core/append.h"
#include "core/args.h"
#include "core/call.h"
#include "core/locks.h"
#include "core/spi_util.h"
#include "machine/cancel.h"

/*
 * An order's deadline is later than its creation, but a transaction that has just begun may not
 * have a transaction id yet; this leaves ample time for that.
 */
#define SAFETY_MARGIN (60 * USECS_PER_SEC)

static SavedPlan read_progress = SAVED_PLAN_NO_ARGS(
	"SELECT seq, swept_until FROM order_ext_internal.sweep_progress ORDER BY seq DESC LIMIT 1");

static SavedPlan forget_progress = SAVED_PLAN(
	"DELETE FROM order_ext_internal.sweep_progress WHERE seq < $1",
	INT8OID);

static SavedPlan read_due = SAVED_PLAN(
	"SELECT order_id, expire_at FROM order_ext_internal.orders"
	" WHERE (expire_at, order_id) > ($1, $2) AND expire_at <= $3 AND status = " CODE(ORDER_CREATED)
	" ORDER BY expire_at, order_id LIMIT $4",
	TIMESTAMPTZOID, INT8OID, TIMESTAMPTZOID, INT8OID);

static SavedPlan count_prepared = SAVED_PLAN_NO_ARGS(
	"SELECT FROM pg_catalog.pg_prepared_xacts"
	" WHERE database = pg_catalog.current_database() LIMIT 1");

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
 * The deadline before which no more orders can appear: an order being created by a running
 * transaction has a deadline after that transaction's start. DT_NOBEGIN if unknown (a prepared
 * transaction, or a session that reports no activity).
 */
static TimestampTz
safe_deadline(void)
{
	TimestampTz oldest = GetCurrentTimestamp();
	int			n;
	int			i;

	pgstat_clear_backend_activity_snapshot();
	n = pgstat_fetch_stat_numbackends();
	for (i = 1; i <= n; i++)
	{
		LocalPgBackendStatus *backend = backend_status_by_index(i);

		if (backend == NULL || !TransactionIdIsValid(backend->backend_xid) ||
			backend->backendStatus.st_databaseid != MyDatabaseId)
			continue;
		if (backend->backendStatus.st_xact_start_timestamp == 0)
			return DT_NOBEGIN;
		oldest = Min(oldest, backend->backendStatus.st_xact_start_timestamp);
	}

	/*
	 * Checked after the backends, so that a transaction missed there because it was just being
	 * prepared is seen here.
	 */
	if (plan_query(&count_prepared, NULL, NULL, 1) > 0)
		return DT_NOBEGIN;
	return oldest - SAFETY_MARGIN;
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
 * Record up to where nothing is left. Only one sweep at a time does so, and none under an old
 * snapshot, which may not see the newest progress.
 */
static void
remember_progress(const Sweep *sweep, int64 seq, TimestampTz swept_until, TimestampTz safe)
{
	TimestampTz until = Min(safe, sweep->now);
	Appender   *progress;
	Datum		values[2];

	if (sweep->oldest_left != DT_NOEND)
		until = Min(until, sweep->oldest_left - 1);
	if (until <= swept_until || IsolationUsesXactSnapshot())
		return;
	values[0] = Int64GetDatum(seq + 1);
	values[1] = TimestampTzGetDatum(until);
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
	int64		seq = 0;
	int			canceled = 0;

	if (plan_query(&read_progress, NULL, NULL, 1) > 0)
	{
		seq = row_int64(0, 1);
		swept_until = row_timestamptz(0, 2);
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
	if (sweep.finished && single)
		remember_progress(&sweep, seq, swept_until, safe);
	PG_RETURN_INT32(canceled);
}

PG_FUNCTION_INFO_V1(order_ext_expire_orders);
Datum
order_ext_expire_orders(PG_FUNCTION_ARGS)
{
	return api_call(fcinfo, expire_orders_body);
}

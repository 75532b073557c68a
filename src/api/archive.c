/*
 * archive.c
 *		Moving settled orders to the archive, as maintain() does step by step; see docs/archive.md.
 *
 * An order is moved under the locks that every call about it takes at least one of, so nobody is in
 * the middle of something with it. Whoever comes later does not find it, and brings it back
 * (machine/archive/recall.c).
 */
#include "compat.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "utils/timestamp.h"

#include "api/archive.h"
#include "core/locks.h"
#include "core/settings.h"
#include "core/spi_util.h"

/* Orders that one step looks at, at most; it moves as many as it has locks for. */
#define LOOKED_AT 1000

static SavedPlan find_settled = SAVED_PLAN(
	"SELECT order_ext_internal.archive_next($1, $2)",
	INT4OID, TIMESTAMPTZOID);

static SavedPlan move = SAVED_PLAN(
	"SELECT order_ext_internal.archive_orders($1, $2)",
	INT8ARRAYOID, TIMESTAMPTZOID);

/*
 * Old enough: after-sales can no longer be applied for, and the messages of the order are behind
 * what verify() compares with the log.
 */
static TimestampTz
settled_before(void)
{
	int64		seconds = Max(setting_order_retention,
							  Max(setting_after_sale_window, setting_log_retention + 3600));

	return GetCurrentTimestamp() - seconds * USECS_PER_SEC;
}

/* Those among ids that are not busy, with both of their locks. */
static int
lock_orders(int64 *ids, int n)
{
	bool	   *busy = palloc0(sizeof(bool) * Max(n, 1));
	int			free = 0;
	int			i;

	(void) lock_try_all(LOCK_ORDER_CANCEL, ids, n, busy);
	for (i = 0; i < n; i++)
	{
		if (!busy[i])
			ids[free++] = ids[i];
	}
	memset(busy, false, sizeof(bool) * Max(n, 1));
	(void) lock_try_all(LOCK_REFUND, ids, free, busy);
	n = free;
	free = 0;
	for (i = 0; i < n; i++)
	{
		if (!busy[i])
			ids[free++] = ids[i];
	}
	return free;
}

int64
archive_step(void)
{
	Datum		values[2];
	int64	   *ids;
	int			n;
	int			i;

	if (setting_order_retention < 0 || IsolationUsesXactSnapshot() ||
		!lock_try(LOCK_ARCHIVE, 0))
		return 0;
	values[0] = Int32GetDatum(Min(LOOKED_AT, lock_try_limit()));
	values[1] = TimestampTzGetDatum(settled_before());
	n = (int) plan_write(&find_settled, values, NULL, 0);
	ids = palloc(sizeof(int64) * Max(n, 1));
	for (i = 0; i < n; i++)
		ids[i] = row_int64(i, 1);
	n = lock_orders(ids, n);
	if (n == 0)
		return 0;
	values[0] = int64_array(ids, n);
	(void) plan_write(&move, values, NULL, 1);
	return row_int64(0, 1);
}

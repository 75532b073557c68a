/*
 * cancel.c
 *		The cancellation of orders: one way for buyer, staff, timer and sweep.
 */
#include "compat.h"

#include "access/twophase.h"
#include "miscadmin.h"
#include "storage/lock.h"

#include "core/call.h"
#include "core/locks.h"
#include "machine/cancel.h"
#include "machine/payment.h"

int
lock_budget(void)
{
	return Max(max_locks_per_xact * (MaxBackends + max_prepared_xacts) / 10, 1);
}

void
cancel_orders_locked(Journal *journal, Order *orders, int n, Event event, char actor,
					 const OrderChange *change, Jsonb *detail)
{
	int64	   *ids = palloc(sizeof(int64) * Max(n, 1));
	int			i;

	for (i = 0; i < n; i++)
		ids[i] = orders[i].order_id;
	orders_fire(journal, orders, n, event, actor, change, detail);
	payments_ask_close(journal, ids, n);
}

static int
compare_ids(const void *a, const void *b)
{
	int64		left = *(const int64 *) a;
	int64		right = *(const int64 *) b;

	return left < right ? -1 : left > right ? 1 : 0;
}

int
cancel_expired(const int64 *ids, int n, bool *busy)
{
	Journal    *journal = journal_begin(GetCurrentTimestamp());
	int64	   *locked = palloc(sizeof(int64) * Max(n, 1));
	int			n_locked = 0;
	int			budget = lock_budget();
	int			n_orders;
	Order	   *orders;
	JsonbBuilder *detail;
	int			i;

	for (i = 0; i < n; i++)
	{
		busy[i] = n_locked >= budget || !lock_try(LOCK_ORDER_CANCEL, ids[i]);
		if (!busy[i])
			locked[n_locked++] = ids[i];
	}
	if (n_locked == 0)
		return 0;
	qsort(locked, n_locked, sizeof(int64), compare_ids);

	/* The locks decide who goes first; what is true is decided now, under them. */
	detail = jsonb_object_begin();
	jsonb_add_text(detail, "cancel_type", "timeout");
	orders = orders_expire(journal, locked, n_locked, jsonb_object_end(detail), &n_orders);
	for (i = 0; i < n_orders; i++)
		locked[i] = orders[i].order_id;
	if (n_orders > 0)
		payments_ask_close(journal, locked, n_orders);
	journal_write(journal);
	return n_orders;
}

/*
 * order_paid.c
 *		order.paid: creates the fulfillment of a paid order; an order of virtual goods only
 *		becomes signed. Facts that the warehouse reported too early are applied then.
 *
 * An order that has been canceled has a tombstone and another status: nothing is done for it,
 * however late the message comes. Busy orders are left for later.
 */
#include "compat.h"

#include "handlers/batch.h"
#include "handlers/order_paid.h"
#include "machine/shipment/shipment.h"

/*
 * Removes the busy ones from the given orders and marks their messages; returns how many are
 * left.
 */
static int
leave_busy(int64 *ids, int n, const int64 *some, const bool *busy, int n_some,
		   Message *messages, int n_messages)
{
	int			stay = 0;
	int			i,
				j;

	for (i = 0; i < n; i++)
	{
		bool		is_busy = false;

		for (j = 0; j < n_some; j++)
			is_busy |= busy[j] && some[j] == ids[i];
		if (!is_busy)
			ids[stay++] = ids[i];
		for (j = 0; is_busy && j < n_messages; j++)
		{
			if (messages[j].key == ids[i])
				messages[j].outcome = MESSAGE_BUSY;
		}
	}
	return stay;
}

/* The refund locks of those whose parcel was refused too early. */
static int
lock_refunds_of(int64 *ids, int n, Message *messages, int n_messages)
{
	int			n_refused;
	int64	   *refused = shipments_refused_early(ids, n, &n_refused);
	bool	   *busy = palloc(sizeof(bool) * Max(n_refused, 1));

	(void) lock_try_all(LOCK_REFUND, refused, n_refused, busy);
	return leave_busy(ids, n, refused, busy, n_refused, messages, n_messages);
}

void
handle_order_paid(Message *messages, int n)
{
	int			n_locked;
	int64	   *locked = batch_lock(LOCK_ORDER_CANCEL, messages, n, &n_locked);

	if (n_locked > 0)
		n_locked = lock_refunds_of(locked, n_locked, messages, n);
	if (n_locked > 0)
		(void) shipments_start(locked, n_locked);
}

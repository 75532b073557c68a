/*
 * after_sale_timers.c
 *		order.auto_sign, after_sale.review_due and after_sale.auto_close: what happens when
 *		nobody does anything.
 *
 * The timer of a delivery is bound to its order's status; those of after-sales cannot be,
 * so their handlers look whether the after-sale is still at the stage that armed them.
 */
#include "compat.h"

#include "core/jsonb_build.h"
#include "handlers/handlers.h"
#include "machine/after_sale_flow.h"
#include "machine/after_sale_message.h"
#include "machine/shipment.h"

void
handle_auto_sign(Message *messages, int n)
{
	int			n_locked;
	int64	   *locked = message_keys_lock(LOCK_ORDER_CANCEL, messages, n, &n_locked);
	int			n_orders;
	Order	   *orders;
	Journal    *journal;

	if (n_locked == 0)
		return;
	orders = orders_read_in_status(locked, n_locked, ORDER_DELIVERING, &n_orders);
	if (n_orders == 0)
		return;
	journal = journal_begin(GetCurrentTimestamp());
	orders_fire(journal, orders, n_orders, EVENT_SIGN, ACTOR_SYSTEM, NULL, NULL);
	shipments_settle_among(journal, locked, n_locked);
	journal_write(journal);
}

/* The after-sale of a timer, where it is still at the stage that armed it. */
static bool
read_stage(const Message *message, AfterSale *after_sale)
{
	return after_sale_read(jsonb_get_id(message->payload, "after_sale_id"), after_sale) &&
		after_sale->version == jsonb_get_int(message->payload, "after_sale_version");
}

void
handle_review_due(Message *messages, int n)
{
	Journal    *journal = journal_begin(GetCurrentTimestamp());
	int			i;

	for (i = 0; i < n; i++)
	{
		AfterSale	after_sale;

		if (read_stage(&messages[i], &after_sale) && after_sale.status == AFTER_SALE_APPLIED)
			after_sale_alert(journal, &after_sale, "review_due");
	}
	journal_write(journal);
}

void
handle_auto_close(Message *messages, int n)
{
	Journal    *journal = journal_begin(GetCurrentTimestamp());
	int			n_locked;
	int			i;

	(void) message_keys_lock(LOCK_REFUND, messages, n, &n_locked);
	for (i = 0; i < n; i++)
	{
		AfterSale	after_sale;

		if (messages[i].outcome == MESSAGE_BUSY)
			continue;
		if (read_stage(&messages[i], &after_sale) && after_sale.status == AFTER_SALE_APPROVED &&
			after_sale.return_status == RETURN_TO_SEND)
			(void) after_sale_give_up(journal, &after_sale, EVENT_AFTER_SALE_CLOSE, ACTOR_SYSTEM,
									  "The goods were not sent back in time.");
	}
	journal_write(journal);
}

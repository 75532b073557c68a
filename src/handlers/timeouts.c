/*
 * timeouts.c
 *		order.pay_timeout, order.auto_sign, after_sale.review_due and after_sale.auto_close: what
 *		happens after a timeout.
 *
 * The timers of orders are bound to their status; those of after-sales cannot be, so their
 * handlers check whether the after-sale is still in the stage that armed them.
 */
#include "compat.h"

#include "core/alert.h"
#include "core/jsonb_build.h"
#include "handlers/batch.h"
#include "handlers/timeouts.h"
#include "machine/after_sale/came_back.h"
#include "machine/after_sale/flow.h"
#include "machine/after_sale/message.h"
#include "machine/cancel/cancel.h"
#include "machine/shipment/shipment.h"

/*
 * An order that is not due yet is left alone: its own timer is bound to its deadline, and a
 * message cannot be earlier than that. A message about an unknown, paid or canceled order is
 * simply done.
 */
void
handle_pay_timeout(Message *messages, int n)
{
	bool	   *busy = palloc0(sizeof(bool) * n);

	(void) cancel_expired(batch_keys(messages, n), n, busy);
	batch_mark_busy(messages, n, busy);
}

void
handle_auto_sign(Message *messages, int n)
{
	int			n_locked;
	int64	   *locked = batch_lock(LOCK_ORDER_CANCEL, messages, n, &n_locked);
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

/* The after-sale of a timer, if it is still in the stage that armed it. */
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
			after_sale_alert(journal, &after_sale, ALERT_REVIEW_DUE, NULL);
	}
	journal_write(journal);
}

/* Pieces of a return have come, and others should have, by now. */
static bool
is_overdue(const AfterSale *after_sale, TimestampTz now)
{
	int			n;
	CameBackLine *lines;

	if ((after_sale->return_status != RETURN_PARTLY &&
		 after_sale->return_status != RETURN_DAMAGED) ||
		(after_sale->status != AFTER_SALE_APPROVED &&
		 after_sale->status != AFTER_SALE_REFUNDING &&
		 after_sale->status != AFTER_SALE_FAILED) ||
		after_sale->return_by > now)
		return false;
	lines = came_back_lines(after_sale, &n);
	return came_back_awaited_of(lines, n) > 0;
}

void
handle_auto_close(Message *messages, int n)
{
	Journal    *journal = journal_begin(GetCurrentTimestamp());
	int			n_locked;
	int			i;

	(void) batch_lock(LOCK_REFUND, messages, n, &n_locked);
	for (i = 0; i < n; i++)
	{
		AfterSale	after_sale;
		bool		same;

		if (messages[i].outcome == MESSAGE_BUSY)
			continue;
		after_sale.after_sale_id = 0;
		same = read_stage(&messages[i], &after_sale);
		if (after_sale.after_sale_id != 0 && is_overdue(&after_sale, journal_time(journal)))
			came_back_lapse(journal, &after_sale);
		else if (same && after_sale.status == AFTER_SALE_APPROVED &&
				 after_sale.return_status == RETURN_TO_SEND)
			(void) after_sale_give_up(journal, &after_sale, EVENT_AFTER_SALE_CLOSE, ACTOR_SYSTEM,
									  "The goods were not sent back in time.");
	}
	journal_write(journal);
}

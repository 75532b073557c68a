/*
 * handlers.c
 *		The list of built-in consumers, and the ones that are a few lines.
 */
#include "compat.h"

#include "handlers/handlers.h"
#include "machine/cancel.h"
#include "machine/coupon.h"
#include "machine/stock.h"

void
handlers_init(void)
{
	timer_bind_source(order_statuses_source);
	message_register_builtin(TOPIC_ORDER_PAY_TIMEOUT, handle_pay_timeout);
	message_register_builtin(TOPIC_ORDER_PAID, handle_order_paid);
	message_register_builtin(TOPIC_ORDER_RELEASE_ASSETS, handle_release_assets);
	message_register_builtin(TOPIC_STOCK_RELEASE, handle_stock_release);
	message_register_builtin(TOPIC_COUPON_RELEASE, handle_coupon_release);
	message_register_builtin(TOPIC_REFUND_PREPARE, handle_refund_prepare);
	message_register_builtin(TOPIC_REFUND_EXECUTE, handle_refund_execute);
	message_register_adapted(TOPIC_REFUND_EXECUTE, handle_refund_gateway);
	message_register_builtin(TOPIC_ORDER_AUTO_SIGN, handle_auto_sign);
	message_register_builtin(TOPIC_AFTER_SALE_REVIEW_DUE, handle_review_due);
	message_register_builtin(TOPIC_AFTER_SALE_AUTO_CLOSE, handle_auto_close);
}

int64 *
message_keys(const Message *messages, int n)
{
	int64	   *keys = palloc(sizeof(int64) * Max(n, 1));
	int			i;

	for (i = 0; i < n; i++)
		keys[i] = messages[i].key;
	return keys;
}

static void
mark_busy(Message *messages, int n, const bool *busy)
{
	int			i;

	for (i = 0; i < n; i++)
	{
		if (busy[i])
			messages[i].outcome = MESSAGE_BUSY;
	}
}

int64 *
message_keys_lock(LockClass lock_class, Message *messages, int n, int *n_locked)
{
	int64	   *keys = message_keys(messages, n);
	bool	   *busy = palloc(sizeof(bool) * Max(n, 1));
	int			i,
				j = 0;

	*n_locked = lock_try_all(lock_class, keys, n, busy);
	mark_busy(messages, n, busy);
	for (i = 0; i < n; i++)
	{
		if (!busy[i])
			keys[j++] = keys[i];
	}
	return keys;
}

/*
 * An order that is not due yet stays as it is: its own timer is bound to its deadline,
 * and a message cannot be earlier than that. One that is unknown, paid or canceled is
 * simply done.
 */
void
handle_pay_timeout(Message *messages, int n)
{
	bool	   *busy = palloc0(sizeof(bool) * n);

	(void) cancel_expired(message_keys(messages, n), n, busy);
	mark_busy(messages, n, busy);
}

void
handle_stock_release(Message *messages, int n)
{
	bool	   *busy = palloc0(sizeof(bool) * n);

	stock_release(message_keys(messages, n), n, GetCurrentTimestamp(), busy);
	mark_busy(messages, n, busy);
}

void
handle_coupon_release(Message *messages, int n)
{
	bool	   *busy = palloc0(sizeof(bool) * n);
	Journal    *journal = journal_begin(GetCurrentTimestamp());

	coupons_release(journal, message_keys(messages, n), n, busy);
	journal_write(journal);
	mark_busy(messages, n, busy);
}

/*
 * release.c
 *		order.release_assets, stock.release and coupon.release: releasing what a canceled order
 *		held.
 *
 * The first is the fan-out: one message per asset kind that applies to the order, based on what
 * it holds now rather than on the message. They are published in the handler's transaction, so a
 * redelivery after a failure repeats nothing. Each kind registered by applications gets a
 * message.
 */
#include "compat.h"

#include "core/jsonb_build.h"
#include "handlers/batch.h"
#include "handlers/release.h"
#include "machine/order/assets.h"
#include "machine/order/coupon.h"
#include "machine/payment/payment.h"
#include "machine/stock/stock.h"

static void
publish_builtin(Journal *journal, const Order *order, bool captured)
{
	int64		order_id = order->order_id;
	Jsonb	   *payload = jsonb_object_end(journal_payload(order_id, order->user_id,
														   order->version));

	if (captured)
		journal_message(journal, TOPIC_REFUND_PREPARE, order_id, payload);
	journal_message(journal, TOPIC_STOCK_RELEASE, order_id, payload);
	if (order->coupon_id != 0)
	{
		JsonbBuilder *coupon = journal_payload(order_id, order->user_id, order->version);

		jsonb_add_id(coupon, "coupon_id", order->coupon_id);
		journal_message(journal, TOPIC_COUPON_RELEASE, order_id, jsonb_object_end(coupon));
	}
}

static void
publish_registered(Journal *journal, const Order *order, const Asset *assets, int n)
{
	int			i;

	for (i = 0; i < n; i++)
	{
		JsonbBuilder *payload = jsonb_object_begin();

		jsonb_add_id(payload, "order_id", order->order_id);
		jsonb_add_id(payload, "user_id", order->user_id);
		jsonb_add_text(payload, "kind", assets[i].kind);
		journal_message(journal, (BuiltinTopic) assets[i].topic_id, order->order_id,
						jsonb_object_end(payload));
	}
}

void
handle_release_assets(Message *messages, int n)
{
	Asset	   *assets;
	int			n_assets = assets_read(&assets);
	Journal    *journal = journal_begin(GetCurrentTimestamp());
	int			n_orders;
	Order	   *orders = orders_read_in_status(batch_keys(messages, n), n, ORDER_CANCELED,
											   &n_orders);
	bool	   *captured = palloc(sizeof(bool) * Max(n_orders, 1));
	int			i;

	payments_find_captured(orders, n_orders, captured);
	for (i = 0; i < n_orders; i++)
	{
		publish_builtin(journal, &orders[i], captured[i]);
		publish_registered(journal, &orders[i], assets, n_assets);
	}
	journal_write(journal);
}

void
handle_stock_release(Message *messages, int n)
{
	stock_release(batch_keys(messages, n), n, GetCurrentTimestamp());
}

void
handle_coupon_release(Message *messages, int n)
{
	bool	   *busy = palloc0(sizeof(bool) * n);
	Journal    *journal = journal_begin(GetCurrentTimestamp());

	coupons_release(journal, batch_keys(messages, n), n, busy);
	journal_write(journal);
	batch_mark_busy(messages, n, busy);
}

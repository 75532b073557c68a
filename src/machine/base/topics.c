/*
 * topics.c
 *		The built-in topics by name; see topics.h.
 */
#include "compat.h"

#include "machine/base/topics.h"

static const char *const names[BUILTIN_TOPICS_END] = {
	[TOPIC_ORDER_CREATED] = "order.created",
	[TOPIC_ORDER_PAY_TIMEOUT] = "order.pay_timeout",
	[TOPIC_ORDER_PAID] = "order.paid",
	[TOPIC_ORDER_CANCELED] = "order.canceled",
	[TOPIC_ORDER_RELEASE_ASSETS] = "order.release_assets",
	[TOPIC_ORDER_SHIPPED_OUT] = "order.shipped_out",
	[TOPIC_ORDER_DELIVERING] = "order.delivering",
	[TOPIC_ORDER_SIGNED] = "order.signed",
	[TOPIC_ORDER_REFUSED] = "order.refused",
	[TOPIC_PAYMENT_CLOSE] = "payment.close",
	[TOPIC_STOCK_RELEASE] = "stock.release",
	[TOPIC_COUPON_RELEASE] = "coupon.release",
	[TOPIC_REFUND_PREPARE] = "refund.prepare",
	[TOPIC_REFUND_EXECUTE] = "refund.execute",
	[TOPIC_REFUND_SUCCEEDED] = "refund.succeeded",
	[TOPIC_REFUND_FAILED] = "refund.failed",
	[TOPIC_FULFILMENT_REQUESTED] = "fulfilment.requested",
	[TOPIC_FULFILMENT_CANCEL_REQUESTED] = "fulfilment.cancel_requested",
	[TOPIC_AFTER_SALE_APPLIED] = "after_sale.applied",
	[TOPIC_AFTER_SALE_REVIEWED] = "after_sale.reviewed",
	[TOPIC_AFTER_SALE_REVOKED] = "after_sale.revoked",
	[TOPIC_AFTER_SALE_REFUNDED] = "after_sale.refunded",
	[TOPIC_OPS_ALERT] = "ops.alert",
	[TOPIC_ORDER_AUTO_SIGN] = "order.auto_sign",
	[TOPIC_AFTER_SALE_REVIEW_DUE] = "after_sale.review_due",
	[TOPIC_AFTER_SALE_AUTO_CLOSE] = "after_sale.auto_close",
	[TOPIC_ORDER_ADDRESS_CHANGED] = "order.address_changed",
};

const char *
topic_builtin_name(int32 topic_id)
{
	return topic_id > 0 && topic_id < BUILTIN_TOPICS_END ? names[topic_id] : NULL;
}

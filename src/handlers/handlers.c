/*
 * handlers.c
 *		The list of built-in consumers, and what else the message layer learns of orders.
 */
#include "compat.h"

#include "handlers/handlers.h"
#include "handlers/order_paid.h"
#include "handlers/refund_execute.h"
#include "handlers/refund_prepare.h"
#include "handlers/release.h"
#include "handlers/timeouts.h"
#include "machine/order/assets.h"
#include "machine/order/order.h"
#include "machine/sequences_in_use.h"
#include "message/verbs/topics.h"

void
handlers_init(void)
{
	timer_bind_source(order_statuses_source);
	topic_set_user(assets_user_of_topic);
	sequences_raise_with(sequences_raise_used);
	message_register_builtin(TOPIC_ORDER_PAY_TIMEOUT, handle_pay_timeout);
	message_register_handed_on(TOPIC_ORDER_PAY_TIMEOUT);
	message_register_builtin(TOPIC_ORDER_PAID, handle_order_paid);
	message_register_builtin(TOPIC_ORDER_RELEASE_ASSETS, handle_release_assets);
	message_register_handed_on(TOPIC_ORDER_RELEASE_ASSETS);
	message_register_builtin(TOPIC_STOCK_RELEASE, handle_stock_release);
	message_register_handed_on(TOPIC_STOCK_RELEASE);
	message_register_builtin(TOPIC_COUPON_RELEASE, handle_coupon_release);
	message_register_handed_on(TOPIC_COUPON_RELEASE);
	message_register_builtin(TOPIC_REFUND_PREPARE, handle_refund_prepare);
	message_register_handed_on(TOPIC_REFUND_PREPARE);
	message_register_builtin(TOPIC_REFUND_EXECUTE, handle_refund_execute);
	message_register_adapted(TOPIC_REFUND_EXECUTE, handle_refund_gateway);
	message_register_builtin(TOPIC_ORDER_AUTO_SIGN, handle_auto_sign);
	message_register_builtin(TOPIC_AFTER_SALE_REVIEW_DUE, handle_review_due);
	message_register_builtin(TOPIC_AFTER_SALE_AUTO_CLOSE, handle_auto_close);
}

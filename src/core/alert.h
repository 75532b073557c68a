/*
 * alert.h
 *		Alerts for operators: messages of the topic ops.alert.
 *
 * The payload of each is an object; "kind" is one of the words below and determines the other
 * keys of the payload and the key of the message. Ids are strings of digits. Keys in brackets are
 * omitted if there is nothing to report.
 *
 * kind					about						what else
 * payment_held			captured money that pays no order: staff decides with
 *						resolve_held_payment()		reason, payment_id, amount, currency
 * payment_notice_held	payment_closed() about no attempt that is known or open
 *													outcome, pay_type, out_trade_no, [payment_id]
 * refund_answer_held	an answer that contradicts what is known of the refund
 *													reason, refund_id, outcome, [amount],
 *													[gateway_refund_no]
 * shipment_held		a fact of warehouse or carrier that contradicts the order
 *													reason, event_id, event
 * return_held			a fact about goods on their way back that contradicts the after-sale
 *													reason, after_sale_id
 * money_fact_held		money that went back outside, or a dispute, that does not fit
 *						reason, fact, pay_type, out_trade_no, number, [amount]
 * payment_disputed		a payment is in dispute, or its dispute has ended
 *						outcome, pay_type, dispute_no, payment_id, amount
 * damaged_return		goods have come back damaged: staff decides with resolve_damaged()
 *													after_sale_id
 * payment_used_up		what the order's payment has left does not cover the after-sale, which
 *						was cut to it
 *													after_sale_id
 * review_due			an application waits for its review for order_ext.review_reminder
 *													after_sale_id
 * dead_letter			a consumer group has given up a message
 *													consumer_group, topic, key, message_id,
 *													attempts, error, sqlstate
 * backlog				a consumer group holds back the message log
 *													consumer_group, topic, oldest_at, log_bytes
 *
 * reason is a word that the call or its detail also returns. All but the last two also have
 * order_id, user_id and version, as other messages about orders: null, null and 0 if the order is
 * not known. The key of the message is that of the order, or of the refund or after-sale if
 * nothing else is known; for a dead letter its own key; for a backlog the group's.
 */
#ifndef ORDER_EXT_ALERT_H
#define ORDER_EXT_ALERT_H

#include "core/jsonb_build.h"

#define ALERT_PAYMENT_HELD			"payment_held"
#define ALERT_PAYMENT_NOTICE_HELD	"payment_notice_held"
#define ALERT_REFUND_ANSWER_HELD	"refund_answer_held"
#define ALERT_SHIPMENT_HELD			"shipment_held"
#define ALERT_RETURN_HELD			"return_held"
#define ALERT_MONEY_FACT_HELD		"money_fact_held"
#define ALERT_PAYMENT_DISPUTED		"payment_disputed"
#define ALERT_DAMAGED_RETURN		"damaged_return"
#define ALERT_PAYMENT_USED_UP		"payment_used_up"
#define ALERT_REVIEW_DUE			"review_due"
#define ALERT_DEAD_LETTER			"dead_letter"
#define ALERT_BACKLOG				"backlog"

/* Finish the payload of an alert of the given kind. */
extern Jsonb *alert_end(JsonbBuilder *payload, const char *kind);

#endif							/* ORDER_EXT_ALERT_H */

/*
 * topics.h
 *		The built-in topics.
 */
#ifndef ORDER_EXT_MACHINE_BASE_TOPICS_H
#define ORDER_EXT_MACHINE_BASE_TOPICS_H

#include "message/message.h"

/* Ids of the built-in topics; the rows are inserted by sql/parts. Never renumber. */
typedef int32 BuiltinTopic;

#define TOPIC_ORDER_CREATED					1
#define TOPIC_ORDER_PAY_TIMEOUT				2
#define TOPIC_ORDER_PAID					3
#define TOPIC_ORDER_CANCELED				4
#define TOPIC_ORDER_RELEASE_ASSETS			5
#define TOPIC_ORDER_SHIPPED_OUT				6
#define TOPIC_ORDER_DELIVERING				7
#define TOPIC_ORDER_SIGNED					8
#define TOPIC_ORDER_REFUSED					9
#define TOPIC_PAYMENT_CLOSE					10
#define TOPIC_STOCK_RELEASE					11
#define TOPIC_COUPON_RELEASE				12
#define TOPIC_REFUND_PREPARE				13
#define TOPIC_REFUND_EXECUTE				14
#define TOPIC_REFUND_SUCCEEDED				15
#define TOPIC_REFUND_FAILED					16
#define TOPIC_FULFILMENT_REQUESTED			17
#define TOPIC_FULFILMENT_CANCEL_REQUESTED	18
#define TOPIC_AFTER_SALE_APPLIED			19
#define TOPIC_AFTER_SALE_REVIEWED			20
#define TOPIC_AFTER_SALE_REVOKED			21
#define TOPIC_AFTER_SALE_REFUNDED			22
#define TOPIC_OPS_ALERT						ALERT_TOPIC_ID
#define TOPIC_ORDER_AUTO_SIGN				24
#define TOPIC_AFTER_SALE_REVIEW_DUE			25
#define TOPIC_AFTER_SALE_AUTO_CLOSE			26
#define TOPIC_ORDER_ADDRESS_CHANGED			27

#define BUILTIN_TOPICS_END					28

/* The name of a built-in topic; NULL for any other id. */
extern const char *topic_builtin_name(int32 topic_id);

#endif							/* ORDER_EXT_MACHINE_BASE_TOPICS_H */

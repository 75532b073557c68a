/*
 * message.h
 *		What the rest of order_ext may know of the message layer: publishing,
 *		timers, and how a built-in consumer receives its batch.
 *
 * The message layer knows nothing of orders: keys are numbers, payloads jsonb.
 */
#ifndef ORDER_EXT_MESSAGE_H
#define ORDER_EXT_MESSAGE_H

#include "postgres.h"

#include "utils/jsonb.h"
#include "utils/timestamp.h"

/* Ids of the built-in topics; the rows are inserted by sql/parts. Never renumber. */
typedef enum BuiltinTopic
{
	TOPIC_ORDER_CREATED = 1,
	TOPIC_ORDER_PAY_TIMEOUT,
	TOPIC_ORDER_PAID,
	TOPIC_ORDER_CANCELED,
	TOPIC_ORDER_RELEASE_ASSETS,
	TOPIC_ORDER_SHIPPED_OUT,
	TOPIC_ORDER_DELIVERING,
	TOPIC_ORDER_SIGNED,
	TOPIC_ORDER_REFUSED,
	TOPIC_PAYMENT_CLOSE,
	TOPIC_STOCK_RELEASE,
	TOPIC_COUPON_RELEASE,
	TOPIC_REFUND_PREPARE,
	TOPIC_REFUND_EXECUTE,
	TOPIC_REFUND_SUCCEEDED,
	TOPIC_REFUND_FAILED,
	TOPIC_FULFILMENT_REQUESTED,
	TOPIC_FULFILMENT_CANCEL_REQUESTED,
	TOPIC_AFTER_SALE_APPLIED,
	TOPIC_AFTER_SALE_REVIEWED,
	TOPIC_AFTER_SALE_REVOKED,
	TOPIC_AFTER_SALE_REFUNDED,
	TOPIC_OPS_ALERT,
	TOPIC_ORDER_AUTO_SIGN,
	TOPIC_AFTER_SALE_REVIEW_DUE,
	TOPIC_AFTER_SALE_AUTO_CLOSE,
	BUILTIN_TOPICS_END
} BuiltinTopic;

/* A message to be published; message_id is filled in by message_publish. */
typedef struct MessageDraft
{
	int32		topic_id;
	int64		key;
	Jsonb	   *payload;
	int64		message_id;
} MessageDraft;

/*
 * Append messages to the log, in the caller's transaction; the workers wake at its
 * commit. No checks of topic or payload size: the SQL function publish() does those.
 */
extern void message_publish(MessageDraft *drafts, int n);

/*
 * A message for later: due at due_at (a past time fires at once). bound >= 0 binds it
 * to a status of its key, compared when it fires: a timer whose key has moved on is
 * void (see timer_bind_source). Returns the message id.
 */
extern int64 timer_arm(int32 topic_id, int64 key, TimestampTz due_at, int16 bound, Jsonb *payload);

/*
 * Whoever owns the keys of bound timers tells their statuses: fill statuses[i] with the
 * status of keys[i], or -1 where it does not exist. Runs with SPI connected.
 */
typedef void (*TimerBindSource) (const int64 *keys, int n, int16 *statuses);
extern void timer_bind_source(TimerBindSource source);

/* What became of a message that a handler was given. */
typedef enum MessageOutcome
{
	MESSAGE_DONE = 0,
	MESSAGE_BUSY				/* try again soon; not a failed attempt */
} MessageOutcome;

typedef struct Message
{
	int64		id;
	int32		topic_id;
	int64		key;
	Jsonb	   *payload;
	int32		attempt;		/* from 1 */
	TimestampTz published_at;
	MessageOutcome outcome;		/* set by a built-in handler; DONE at the start */
} Message;

/*
 * A built-in consumer: handles a batch in the current transaction, with SPI connected,
 * as order_ext_owner. An error undoes the whole batch, which is then run again one by one.
 */
typedef void (*BuiltinHandler) (Message *messages, int n);

/* Tie the built-in group that is named as the topic to its handler; from _PG_init. */
extern void message_register_builtin(BuiltinTopic topic, BuiltinHandler handler);

/*
 * For groups whose handler is a function of a form of its own (subscribe.h): gets their
 * batches as a built-in handler does, but in the session of the group's role, and calls the
 * function by handler_call() of handler.h.
 */
struct Handler;
typedef void (*AdaptedHandler) (struct Handler *handler, Message *messages, int n);

/* Tie such groups of the topic to the C function; from _PG_init. */
extern void message_register_adapted(BuiltinTopic topic, AdaptedHandler handler);

#endif							/* ORDER_EXT_MESSAGE_H */

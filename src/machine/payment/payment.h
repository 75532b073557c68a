/*
 * payment.h
 *		The payment machine: attempts and captures of money.
 */
#ifndef ORDER_EXT_MACHINE_PAYMENT_PAYMENT_H
#define ORDER_EXT_MACHINE_PAYMENT_PAYMENT_H

#include "machine/order/order.h"

#define MAX_PAY_TYPE_CHARS		32
#define MAX_TRADE_NO_CHARS		128

typedef struct Payment
{
	int64		payment_id;
	int64		order_id;
	int64		amount;
	int32		version;
	int16		status;
	int16		purpose;		/* 0 = none yet */
	int16		purpose_was;	/* of a duplicate: before; else 0 */
	bool		assigned;		/* by staff: the gateway had told another order */
	bool		currency_told;	/* by the gateway */
	int64		told_order_id;	/* if assigned */
	char	   *pay_type;
	char	   *out_trade_no;
	char	   *currency;
} Payment;

/* A capture as reported by the gateway. */
typedef struct Capture
{
	int64		order_id;
	int64		amount;
	TimestampTz paid_at;
	const char *pay_type;
	const char *out_trade_no;
	const char *currency;
	bool		currency_told;
	Jsonb	   *raw;			/* or NULL */
} Capture;

/* A notice that an attempt failed or was closed, as reported by the gateway. */
typedef struct PaymentNotice
{
	int64		order_id;
	const char *pay_type;
	const char *out_trade_no;
	const char *outcome;
	Jsonb	   *raw;			/* or NULL */
} PaymentNotice;

/* The payment with this id; false if it does not exist. */
extern bool payment_read(int64 payment_id, Payment *payment);

/* The same; OE001 if it does not exist. */
extern void payment_read_or_fail(int64 payment_id, Payment *payment);

/* The payment with this trade number; false if it does not exist. */
extern bool payment_by_trade_no(const char *pay_type, const char *out_trade_no, Payment *payment);

/* The oldest open attempt of the order with this pay type; false if there is none. */
extern bool payment_open_attempt(int64 order_id, const char *pay_type, Payment *payment);

/* The order's only open attempt with this pay type; false if there is none or several. */
extern bool payment_only_open_attempt(int64 order_id, const char *pay_type, Payment *payment);

/* Begin a payment attempt of the order; fills in payment_id and out_trade_no. */
extern void payment_initiate(Journal *journal, Payment *payment);

/*
 * Record a capture: on the given open attempt, or in a new row (attempt NULL). Returns the
 * payment id.
 */
extern int64 payment_capture(Journal *journal, const Payment *attempt, const Capture *capture,
							 PaymentPurpose purpose, char actor);

/*
 * Record a fact that contradicts the payment with the same trade number; false if it is already
 * recorded.
 */
extern bool payment_event_record(int64 payment_id, const Capture *capture,
								 const char *disposition, TimestampTz at);

/*
 * End an open attempt: EVENT_PAYMENT_CLOSE or _FAIL. Its trade number becomes the gateway's.
 */
extern void payment_end(Journal *journal, Payment *payment, Event event,
						const char *out_trade_no, char actor);

/*
 * Captures and other facts with the same trade number wait for each other. To be taken before the
 * locks of orders.
 */
extern void payment_lock_trade(const char *pay_type, const char *out_trade_no);

/* Apply held money to its order: purpose becomes applied. The caller moves the order. */
extern void payment_accept(Journal *journal, Payment *payment);

/* Store a notice that matches no open attempt; false if it is already stored. */
extern bool payment_notice_record(const PaymentNotice *notice, int64 payment_id, TimestampTz at);

/* Request the closing of every open attempt of these orders: payment.close messages. */
extern void payments_ask_close(Journal *journal, const Order *orders, int n);

/* captured[i]: money was captured for the order that is paid back when it is canceled. */
extern void payments_find_captured(const Order *orders, int n, bool *captured);

/*
 * The sum of what was captured for the order in its currency and is neither refunded nor being
 * refunded; limited to what fits a bigint.
 */
extern int64 payments_refundable(const Order *order);

#endif							/* ORDER_EXT_MACHINE_PAYMENT_PAYMENT_H */

/*
 * resolve_held.c
 *		resolve_held_payment: staff decides about money that matches no order or not the order's
 *		amount.
 */
#include "compat.h"

#include "core/args.h"
#include "core/call.h"
#include "core/errors.h"
#include "core/jsonb_build.h"
#include "core/locks.h"
#include "machine/coupon.h"
#include "machine/order.h"
#include "machine/payment.h"
#include "machine/refund.h"
#include "machine/refund_request.h"

static const char *const decision_words[] = {"accept", "refund", NULL};

static void
read_payment(int64 payment_id, Payment *payment)
{
	if (!payment_read(payment_id, payment))
		ereport(ERROR,
				(errcode(ERRCODE_OE_NOT_FOUND),
				 errmsg("payment " INT64_FORMAT " does not exist", payment_id)));
}

static bool
awaits_decision(const Payment *payment)
{
	return payment->status == PAYMENT_CAPTURED &&
		(payment->purpose == PURPOSE_HELD || payment->purpose == PURPOSE_UNMATCHED);
}

static void
check_may_accept(const Payment *payment, const Order *order)
{
	int64		refund_id = refund_of_payment(payment->payment_id);

	if (order == NULL || order->status != ORDER_CREATED)
		ereport(ERROR,
				(errcode(ERRCODE_OE_WRONG_STATUS),
				 errmsg("payment " INT64_FORMAT " can no longer be used for order " INT64_FORMAT,
						payment->payment_id, payment->order_id),
				 order == NULL ? errdetail("The order does not exist.") :
				 errdetail("Its status is \"%s\".",
						   machine_status_name(MACHINE_ORDER, order->status)),
				 errhint("Refund the payment.")));
	if (refund_id != 0)
		ereport(ERROR,
				(errcode(ERRCODE_OE_WRONG_STATUS),
				 errmsg("payment " INT64_FORMAT " is being refunded", payment->payment_id),
				 errdetail("Its refund is " INT64_FORMAT ".", refund_id)));
	if (strcmp(payment->currency, order->currency) != 0 || payment->amount < order->pay_amount)
		ereport(ERROR,
				(errcode(ERRCODE_OE_AMOUNT_DIFFERS),
				 errmsg("payment " INT64_FORMAT " does not cover its order", payment->payment_id),
				 errdetail("The order costs " INT64_FORMAT " %s, but the payment is " INT64_FORMAT
						   " %s.",
						   order->pay_amount, order->currency, payment->amount, payment->currency),
				 errhint("Refund the payment.")));
}

/* Pay the order and use its coupon; any excess is paid back. Returns the refund id. */
static int64
accept_payment(Journal *journal, Payment *payment, Order *order)
{
	JsonbBuilder *detail = jsonb_object_begin();

	check_may_accept(payment, order);
	payment_accept(journal, payment);
	jsonb_add_id(detail, "payment_id", payment->payment_id);
	orders_fire(journal, order, 1, EVENT_PAY, ACTOR_STAFF, NULL, jsonb_object_end(detail));
	if (order->coupon_id != 0)
		coupon_use(journal, order->coupon_id, order->order_id, ACTOR_STAFF);
	if (payment->amount == order->pay_amount)
		return 0;
	return refund_request_part(journal, payment->payment_id, CAUSE_SURPLUS,
							   payment->amount - order->pay_amount, ACTOR_STAFF);
}

/* Returns the refund id; 0 if there is nothing to refund or it was already requested. */
static int64
refund_payment(Journal *journal, const Payment *payment)
{
	return refund_request(journal, payment->payment_id,
						  payment->purpose == PURPOSE_HELD ? CAUSE_HELD : CAUSE_UNMATCHED,
						  ACTOR_STAFF);
}

static Jsonb *
resolve_detail(const Payment *payment, int64 refund_id)
{
	JsonbBuilder *detail = jsonb_object_begin();

	jsonb_add_id(detail, "payment_id", payment->payment_id);
	jsonb_add_text(detail, "purpose", code_name(CODES_PAYMENT_PURPOSE, payment->purpose));
	jsonb_add_int(detail, "amount", payment->amount);
	jsonb_add_text(detail, "currency", payment->currency);
	if (refund_id != 0)
		jsonb_add_id(detail, "refund_id", refund_id);
	return jsonb_object_end(detail);
}

static Datum
resolve_held_body(FunctionCallInfo fcinfo)
{
	int64		payment_id = arg_id(fcinfo, 0, "payment_id");
	bool		accept = arg_word(fcinfo, 1, "decision", decision_words) == 0;
	Payment		payment;
	Order		found;
	Order	   *order = NULL;
	Journal    *journal;
	CallResult	result = {.disposition = "noop"};
	int64		refund_id = 0;

	read_payment(payment_id, &payment);
	lock_wait(LOCK_ORDER_PAY, payment.order_id);
	lock_wait(LOCK_ORDER_CANCEL, payment.order_id);
	lock_wait(LOCK_REFUND, payment.order_id);
	read_payment(payment_id, &payment);
	if (order_read_current(payment.order_id, &found))
		order = &found;
	if (awaits_decision(&payment))
	{
		journal = journal_begin(GetCurrentTimestamp());
		refund_id = accept ? accept_payment(journal, &payment, order)
			: refund_payment(journal, &payment);
		if (accept || refund_id != 0)
			result.disposition = "applied";
		journal_write(journal);
	}
	order_result(&result, payment.order_id, order);
	result.detail = resolve_detail(&payment, refund_id);
	return call_return_result(fcinfo, &result);
}

PG_FUNCTION_INFO_V1(order_ext_resolve_held_payment);
Datum
order_ext_resolve_held_payment(PG_FUNCTION_ARGS)
{
	return api_call(fcinfo, resolve_held_body);
}

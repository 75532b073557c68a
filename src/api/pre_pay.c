/*
 * pre_pay.c
 *		pre_pay_order: begin a payment attempt.
 */
#include "compat.h"

#include "core/arg_codes.h"
#include "core/args.h"
#include "core/call.h"
#include "core/error_facts.h"
#include "core/errors.h"
#include "core/jsonb_build.h"
#include "core/locks.h"
#include "core/request.h"
#include "machine/order/order.h"
#include "machine/payment/payment.h"

static void
check_may_pay(const Order *order, int64 pay_amount, TimestampTz now)
{
	if (!machine_allows(MACHINE_ORDER, order->status, EVENT_PRE_PAY, ACTOR_BUYER))
		ereport(ERROR,
				(errcode(ERRCODE_OE_WRONG_STATUS),
				 errmsg("order " INT64_FORMAT " cannot be paid", order->order_id),
				 error_facts("Its status is \"{status}\".",
							 FACT_ID("order_id", order->order_id),
							 FACT_TEXT("status",
									   machine_status_name(MACHINE_ORDER, order->status))),
				 errhint("Only an order that is awaiting payment can be paid; allowed_actions "
						 "shows what can be done with it now.")));
	if (order->pay_amount != pay_amount)
		ereport(ERROR,
				(errcode(ERRCODE_OE_AMOUNT_DIFFERS),
				 errmsg("payment amount does not match the order"),
				 error_facts("The order costs {expected}, but the call specifies {pay_amount}.",
							 FACT_ID("order_id", order->order_id),
							 FACT_INT("expected", order->pay_amount),
							 FACT_INT("pay_amount", pay_amount),
							 FACT_TEXT("currency", order->currency)),
				 errhint("Pay the amount that the order costs.")));
	if (now >= order->expire_at)
		ereport(ERROR,
				(errcode(ERRCODE_OE_DEADLINE_PASSED),
				 errmsg("payment deadline of order " INT64_FORMAT " has passed", order->order_id),
				 error_facts("It was {expire_at}.",
							 FACT_ID("order_id", order->order_id),
							 FACT_TIME("expire_at", order->expire_at)),
				 errhint("Create a new order.")));
}

typedef struct PrePayRequest
{
	int64		order_id;
	char	   *pay_type;
	int64		pay_amount;
} PrePayRequest;

static void
pre_pay_once(void *arg, const RequestKey *key, CallResult *result)
{
	const PrePayRequest *request = arg;
	Order		order;
	Payment		payment = {0};
	Journal    *journal;
	JsonbBuilder *detail;
	TimestampTz now;

	lock_wait(LOCK_ORDER_PAY, request->order_id);
	lock_wait(LOCK_ORDER_CANCEL, request->order_id);
	order_read_or_fail(request->order_id, &order);
	now = GetCurrentTimestamp();
	check_may_pay(&order, request->pay_amount, now);

	journal = journal_begin(now);
	payment.order_id = request->order_id;
	payment.amount = request->pay_amount;
	payment.pay_type = request->pay_type;
	payment.currency = order.currency;
	payment_initiate(journal, &payment);

	detail = jsonb_object_begin();
	jsonb_add_id(detail, "payment_id", payment.payment_id);
	jsonb_add_text(detail, "out_trade_no", payment.out_trade_no);
	jsonb_add_text(detail, "pay_type", request->pay_type);
	result->detail = jsonb_object_end(detail);
	orders_fire(journal, &order, 1, EVENT_PRE_PAY, ACTOR_BUYER, NULL, result->detail);
	journal_write(journal);

	order_result(result, order.order_id, &order);
	result->disposition = "applied";
}

static Datum
pre_pay_body(FunctionCallInfo fcinfo)
{
	PrePayRequest request;

	request.order_id = arg_id(fcinfo, 0, "order_id");
	request.pay_type = arg_codes_lower(fcinfo, 1, "pay_type", MAX_PAY_TYPE_CHARS);
	request.pay_amount = arg_amount(fcinfo, 2, "pay_amount");
	return request_call(fcinfo, "pre_pay_order", 3, pre_pay_once, &request);
}

PG_FUNCTION_INFO_V1(order_ext_pre_pay_order);
Datum
order_ext_pre_pay_order(PG_FUNCTION_ARGS)
{
	return api_call(fcinfo, pre_pay_body);
}

/*
 * assign_payment.c
 *		assign_payment: staff knows which order a held or unmatched capture is for.
 */
#include "compat.h"

#include "api/capture.h"
#include "api/way_back.h"
#include "core/args.h"
#include "core/error_facts.h"
#include "core/errors.h"
#include "core/locks.h"
#include "core/request.h"
#include "machine/payment/decision.h"
#include "machine/refund/refund.h"

typedef struct AssignRequest
{
	int64		payment_id;
	int64		order_id;
} AssignRequest;

static void
lock_both(LockClass lock_class, int64 a, int64 b)
{
	lock_wait(lock_class, Min(a, b));
	if (a != b)
		lock_wait(lock_class, Max(a, b));
}

/*
 * Lock both orders, and read the payment under their locks. The lock of its trade number comes
 * first: a repetition of the callback waits for it, and so does another assignment.
 */
static void
lock_and_read(const AssignRequest *request, Payment *payment)
{
	payment_read_or_fail(request->payment_id, payment);
	payment_lock_trade(payment->pay_type, payment->out_trade_no);
	payment_read_or_fail(request->payment_id, payment);
	lock_both(LOCK_ORDER_PAY, payment->order_id, request->order_id);
	lock_both(LOCK_ORDER_CANCEL, payment->order_id, request->order_id);
	lock_both(LOCK_REFUND, payment->order_id, request->order_id);
	payment_read_or_fail(request->payment_id, payment);
}

static void
check_may_assign(const Payment *payment)
{
	int64		refund_id = refund_of_payment(payment->payment_id);

	if (payment->status != PAYMENT_CAPTURED ||
		(payment->purpose != PURPOSE_HELD && payment->purpose != PURPOSE_UNMATCHED))
		ereport(ERROR,
				(errcode(ERRCODE_OE_WRONG_STATUS),
				 errmsg("payment " INT64_FORMAT " cannot be assigned", payment->payment_id),
				 payment->purpose == 0 ?
				 error_facts("Its status is \"{status}\".",
							 FACT_ID("payment_id", payment->payment_id),
							 FACT_TEXT("status",
									   machine_status_name(MACHINE_PAYMENT, payment->status))) :
				 error_facts("Its purpose is \"{purpose}\".",
							 FACT_ID("payment_id", payment->payment_id),
							 FACT_TEXT("status",
									   machine_status_name(MACHINE_PAYMENT, payment->status)),
							 FACT_TEXT("purpose",
									   code_name(CODES_PAYMENT_PURPOSE, payment->purpose))),
				 errhint("Only a held or unmatched capture can be assigned to an order. %s",
						 way_back_of_capture(payment))));
	if (refund_id != 0)
		ereport(ERROR,
				(errcode(ERRCODE_OE_WRONG_STATUS),
				 errmsg("payment " INT64_FORMAT " has a refund", payment->payment_id),
				 error_facts("The refund is {refund_id}.",
							 FACT_TEXT("reason", "refund"),
							 FACT_ID("payment_id", payment->payment_id),
							 FACT_ID("refund_id", refund_id)),
				 errhint("Ask the buyer to pay again. %s", way_back_of_capture(payment))));
	if (payment_has_duplicates(payment->order_id, payment->payment_id))
		ereport(ERROR,
				(errcode(ERRCODE_OE_WRONG_STATUS),
				 errmsg("payment " INT64_FORMAT " has duplicates", payment->payment_id),
				 error_facts("Other payments are recorded as its duplicates.",
							 FACT_TEXT("reason", "duplicates"),
							 FACT_ID("payment_id", payment->payment_id)),
				 errhint("Resolve them first with resolve_held_payment; column duplicate_of of "
						 "payments_view shows which they are.")));
}

static void
assign_once(void *arg, const RequestKey *key, CallResult *result)
{
	const AssignRequest *request = arg;
	const CaptureDecision *decision;
	Capture		capture = {0};
	int64		refund_id;
	Journal    *journal;
	Payment		payment;
	Order		order;

	lock_and_read(request, &payment);
	order_read_or_fail(request->order_id, &order);
	check_may_assign(&payment);
	capture.order_id = order.order_id;
	capture.amount = payment.amount;
	capture.pay_type = payment.pay_type;
	capture.out_trade_no = payment.out_trade_no;
	capture.currency = payment.currency_told ? payment.currency : order.currency;

	decision = capture_decide(&order, &capture);
	journal = journal_begin(GetCurrentTimestamp());
	payment_assign(journal, &payment, &capture, decision->purpose);
	refund_id = capture_follow(journal, decision, &order, &capture, payment.payment_id,
							   ACTOR_STAFF);
	journal_write(journal);
	order_result(result, order.order_id, &order);
	result->disposition = decision->disposition;
	result->detail = capture_detail(payment.payment_id, refund_id, &capture, decision->purpose,
									false);
}

static Datum
assign_payment_body(FunctionCallInfo fcinfo)
{
	AssignRequest request;

	request.payment_id = arg_id(fcinfo, 0, "payment_id");
	request.order_id = arg_id(fcinfo, 1, "order_id");
	return request_call(fcinfo, "assign_payment", 2, assign_once, &request);
}

PG_FUNCTION_INFO_V1(order_ext_assign_payment);
Datum
order_ext_assign_payment(PG_FUNCTION_ARGS)
{
	return api_call(fcinfo, assign_payment_body);
}

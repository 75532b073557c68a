/*
 * cancel_order.c
 *		cancel_order: cancellation by the buyer or staff.
 */
#include "compat.h"

#include "api/way_back.h"
#include "core/args.h"
#include "core/call.h"
#include "core/error_facts.h"
#include "core/errors.h"
#include "core/jsonb_build.h"
#include "core/locks.h"
#include "core/request.h"
#include "machine/cancel/cancel.h"
#include "machine/payment/payment.h"

static const char *const cancel_words[] = {"user", "customer_service", NULL};
static const CancelType cancel_types[] = {CANCEL_BY_USER, CANCEL_BY_CUSTOMER_SERVICE};
static const char *const policy_words[] = {"full", "hold", NULL};

typedef struct CancelRequest
{
	int64		order_id;
	int64		user_id;		/* 0 = not given */
	int			type;			/* index into cancel_words */
	char	   *reason;
	bool		hold;
} CancelRequest;

static void
read_cancel_request(FunctionCallInfo fcinfo, CancelRequest *request)
{
	request->order_id = arg_id(fcinfo, 0, "order_id");
	request->user_id = PG_ARGISNULL(1) ? 0 : arg_id(fcinfo, 1, "user_id");
	request->type = arg_word(fcinfo, 2, "cancel_type", cancel_words);
	request->reason = arg_text_or_null(fcinfo, 3, "reason", MAX_REASON_CHARS);
	request->hold = arg_word(fcinfo, 5, "refund_policy", policy_words) == 1;
}

static void
check_may_cancel(const Order *order, const CancelRequest *request, char actor)
{
	if (request->user_id != 0)
		order_check_owner(order, request->user_id,
						  "Pass the user_id of its owner, or none if staff cancels the order.");
	if (order->status != ORDER_CANCELED &&
		!machine_allows(MACHINE_ORDER, order->status, EVENT_CANCEL, actor))
		ereport(ERROR,
				(errcode(ERRCODE_OE_CANNOT_CANCEL),
				 errmsg("order " INT64_FORMAT " can no longer be canceled", order->order_id),
				 error_facts("Its status is \"{status}\".",
							 FACT_ID("order_id", order->order_id),
							 FACT_TEXT("status",
									   machine_status_name(MACHINE_ORDER, order->status))),
				 errhint("%s", way_back_instead_of_cancel(order))));
}

static Jsonb *
cancel_log_detail(const CancelRequest *request, const RequestKey *key)
{
	JsonbBuilder *detail = jsonb_object_begin();

	jsonb_add_text(detail, "cancel_type", cancel_words[request->type]);
	if (request->user_id != 0)
		jsonb_add_id(detail, "user_id", request->user_id);
	if (request->reason != NULL)
		jsonb_add_text(detail, "reason", request->reason);
	if (key->request_id != NULL)
		jsonb_add_text(detail, "request_id", key->request_id);
	return jsonb_object_end(detail);
}

static Jsonb *
cancel_detail(const CancelRequest *request, int64 refundable)
{
	JsonbBuilder *detail = jsonb_object_begin();

	jsonb_add_int(detail, "refund_amount", refundable);
	jsonb_add_text(detail, "refund_policy", policy_words[request->hold ? 1 : 0]);
	return jsonb_object_end(detail);
}

/* The result of the request, given the order's status and fulfillment. */
static const char *
cancel(const CancelRequest *request, const RequestKey *key, Order *order, char actor)
{
	OrderChange change = {
		.cancels = true,
		.cancel_type = cancel_types[request->type],
		.refund_hold = request->hold,
		.reason = request->reason
	};
	Journal    *journal = journal_begin(GetCurrentTimestamp());
	CancelOutcome outcome = cancel_order_locked(journal, order, actor, &change,
												cancel_log_detail(request, key));

	if (outcome == CANCEL_REFUSED)
		ereport(ERROR,
				(errcode(ERRCODE_OE_INTERCEPT_REFUSED),
				 errmsg("order " INT64_FORMAT " can no longer be intercepted", order->order_id),
				 error_facts("The warehouse has already refused to intercept it.",
							 FACT_ID("order_id", order->order_id),
							 FACT_TEXT("status",
									   machine_status_name(MACHINE_ORDER, order->status))),
				 errhint("%s", way_back_instead_of_cancel(order))));
	journal_write(journal);
	return outcome == CANCEL_DONE ? "applied" : "intercept_pending";
}

static void
cancel_once(void *arg, const RequestKey *key, CallResult *result)
{
	const CancelRequest *request = arg;
	char		actor = cancel_types[request->type] == CANCEL_BY_USER ? ACTOR_BUYER : ACTOR_STAFF;
	Order		order;

	lock_wait(LOCK_ORDER_CANCEL, request->order_id);
	order_read_or_fail(request->order_id, &order);
	check_may_cancel(&order, request, actor);
	result->disposition = "noop";
	if (order.status != ORDER_CANCELED)
	{
		result->detail = cancel_detail(request, payments_refundable(&order));
		result->disposition = cancel(request, key, &order, actor);
	}
	order_result(result, order.order_id, &order);
}

static Datum
cancel_order_body(FunctionCallInfo fcinfo)
{
	CancelRequest request;

	read_cancel_request(fcinfo, &request);
	return request_call(fcinfo, "cancel_order", 4, cancel_once, &request);
}

PG_FUNCTION_INFO_V1(order_ext_cancel_order);
Datum
order_ext_cancel_order(PG_FUNCTION_ARGS)
{
	return api_call(fcinfo, cancel_order_body);
}

/*
 * withdraw_refund.c
 *		withdraw_refund: staff keeps the money of a refund that nobody has claimed; and
 *		settle_refund: staff knows that the gateway has paid another amount.
 */
#include "compat.h"

#include "api/refund_result.h"
#include "api/way_back.h"
#include "core/args.h"
#include "core/error_facts.h"
#include "core/errors.h"
#include "core/locks.h"
#include "core/request.h"
#include "machine/after_sale/flow.h"
#include "machine/after_sale/refunds.h"
#include "machine/gateway/money_back.h"
#include "machine/refund/decision.h"

static void
lock_and_read(int64 refund_id, Refund *refund)
{
	refund_read_or_fail(refund_id, refund);
	lock_wait(LOCK_REFUND, refund->order_id);
	refund_read_or_fail(refund_id, refund);
}

/* What is left of its payment can go back, too. */
static const char *
hint_of_settled(const Refund *refund)
{
	Payment		payment;

	return payment_read(refund->payment_id, &payment) ? way_back_of_capture(&payment) : "";
}

static const char *
hint_of(const Refund *refund)
{
	switch ((RefundStatus) refund->status)
	{
		case REFUND_SUBMITTED:
			return "A worker has it: the gateway's answer decides (refund_callback), or, if the "
				"gateway has paid another amount, settle_refund.";
		case REFUND_FAILED:
			return after_sale_permits_retry(refund) ?
				"Use retry_refund; a failed refund moves no money by itself." :
				way_back_of_order(refund->order_id);
		case REFUND_SUCCEEDED:
			return psprintf("The money has gone back. %s", hint_of_settled(refund));
		default:
			return "It was claimed before, and the gateway may know it: its answer decides "
				"(refund_callback), or settle_refund.";
	}
}

static void
raise_status(const Refund *refund, const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_OE_WRONG_STATUS),
			 errmsg("refund " INT64_FORMAT " cannot be %s", refund->refund_id, what),
			 error_facts("Its status is \"{status}\", attempt {attempt}.",
						 FACT_ID("refund_id", refund->refund_id),
						 FACT_TEXT("status", machine_status_name(MACHINE_REFUND, refund->status)),
						 FACT_INT("attempt", refund->attempt)),
			 errhint("%s", hint_of(refund))));
}

/* ---- withdraw_refund ---- */

typedef struct WithdrawRequest
{
	int64		refund_id;
	char	   *reason;
} WithdrawRequest;

static void
withdraw_once(void *arg, const RequestKey *key, CallResult *result)
{
	const WithdrawRequest *request = arg;
	AfterSale	after_sale;
	Journal    *journal;
	Refund		refund;

	lock_and_read(request->refund_id, &refund);
	if (refund.status == REFUND_WITHDRAWN)
	{
		refund_result(result, &refund, "noop", NULL);
		return;
	}
	if (refund.status != REFUND_REQUESTED || refund.attempt > 0)
		raise_status(&refund, "withdrawn");
	journal = journal_begin(GetCurrentTimestamp());
	money_left_touch_payment(refund.payment_id);
	refund_keep(journal, &refund, ACTOR_STAFF, request->reason);
	if (refund.after_sale_id != 0 && after_sale_read(refund.after_sale_id, &after_sale))
		after_sale_conclude(journal, &after_sale, ACTOR_STAFF, request->reason);
	journal_write(journal);
	refund_result(result, &refund, "applied", NULL);
}

static Datum
withdraw_refund_body(FunctionCallInfo fcinfo)
{
	WithdrawRequest request;

	request.refund_id = arg_id(fcinfo, 0, "refund_id");
	request.reason = arg_text(fcinfo, 1, "reason", MAX_REASON_CHARS);
	return request_call(fcinfo, "withdraw_refund", 2, withdraw_once, &request);
}

PG_FUNCTION_INFO_V1(order_ext_withdraw_refund);
Datum
order_ext_withdraw_refund(PG_FUNCTION_ARGS)
{
	return api_call(fcinfo, withdraw_refund_body);
}

/* ---- settle_refund ---- */

/* Whether what is left of the payment is without this refund. */
static bool
is_of_the_sum(const Refund *refund)
{
	return refund->status != REFUND_WITHDRAWN &&
		(refund->status != REFUND_FAILED || after_sale_permits_retry(refund));
}

/* Another amount than asked for: more only if it is left of the payment. */
static void
check_amount(const Refund *refund, int64 amount)
{
	int64		left = Max(money_left_of_payment(refund->payment_id), 0);

	if (is_of_the_sum(refund))
		left += refund->amount;
	if (amount <= left)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_OE_QUANTITY_EXCEEDS),
			 errmsg("refund " INT64_FORMAT " cannot have paid more than is left of its payment",
					refund->refund_id),
			 error_facts("{left} {currency} is left of {paid}, this refund included.",
						 FACT_ID("refund_id", refund->refund_id), FACT_INT("left", left),
						 FACT_INT("paid", refund->payment_amount),
						 FACT_TEXT("currency", refund->currency)),
			 errhint("%s", way_back_of_less(refund->order_id, refund->payment_id,
											refund->refund_id))));
}

static Datum
settle_refund_body(FunctionCallInfo fcinfo)
{
	int64		refund_id = arg_id(fcinfo, 0, "refund_id");
	int64		amount = arg_id(fcinfo, 1, "amount");
	char	   *reason = arg_text(fcinfo, 2, "reason", MAX_REASON_CHARS);
	const RefundWords words = {.outcome = "succeeded"};
	CallResult	result;
	AfterSale	after_sale;
	Journal    *journal;
	Refund		refund;
	bool		was_withdrawn;

	lock_and_read(refund_id, &refund);
	if (refund.status == REFUND_SUCCEEDED && refund.amount == amount)
	{
		refund_result(&result, &refund, "noop", NULL);
		return call_return_result(fcinfo, &result);
	}
	if (refund.status == REFUND_SUCCEEDED)
		raise_status(&refund, "settled with another amount");
	check_amount(&refund, amount);
	was_withdrawn = refund.status == REFUND_WITHDRAWN;
	journal = journal_begin(GetCurrentTimestamp());
	money_left_touch_payment(refund.payment_id);
	refund_set_amount(&refund, amount, reason);
	refund_fire(journal, &refund, EVENT_REFUND_SUCCEED, ACTOR_STAFF, &words);
	if (refund.after_sale_id != 0)
	{
		if (was_withdrawn)
			money_back_paid_after_all(refund.after_sale_id);
		if (was_withdrawn && after_sale_read(refund.after_sale_id, &after_sale))
			(void) after_sale_revive_paid(journal, &after_sale);
		after_sales_follow(journal, &refund.after_sale_id, 1, ACTOR_STAFF);
	}
	journal_write(journal);
	refund_result(&result, &refund, "applied", NULL);
	return call_return_result(fcinfo, &result);
}

PG_FUNCTION_INFO_V1(order_ext_settle_refund);
Datum
order_ext_settle_refund(PG_FUNCTION_ARGS)
{
	return api_call(fcinfo, settle_refund_body);
}

/*
 * refund_callback.c
 *		refund_callback: a gateway's answer about a refund; and retry_refund: staff retries a
 *		failed or held refund.
 */
#include "compat.h"

#include "api/refund_result.h"
#include "core/arg_codes.h"
#include "core/args.h"
#include "core/call.h"
#include "core/locks.h"
#include "machine/after_sale/refunds.h"
#include "machine/gateway/refund_answer.h"
#include "machine/refund/decision.h"

/* Read the refund under the lock of its order; false if there is none. */
static bool
lock_and_read(int64 refund_id, Refund *refund)
{
	if (!refund_read(refund_id, refund))
		return false;
	lock_wait(LOCK_REFUND, refund->order_id);
	return refund_read(refund_id, refund);
}

static Datum
return_refund(FunctionCallInfo fcinfo, const Refund *refund, const char *disposition,
			  JsonbBuilder *detail)
{
	CallResult	result;

	refund_result(&result, refund, disposition, detail);
	return call_return_result(fcinfo, &result);
}

/* ---- refund_callback ---- */

static void
read_answer(FunctionCallInfo fcinfo, RefundAnswer *answer, bool *raw_cut)
{
	answer->outcome = arg_word(fcinfo, 1, "outcome", refund_outcomes);
	answer->words.outcome = refund_outcomes[answer->outcome];
	answer->words.gateway_refund_no = PG_ARGISNULL(2) ? NULL :
		arg_codes_trimmed(fcinfo, 2, "gateway_refund_no", MAX_REFUND_NO_CHARS);
	answer->has_amount = !PG_ARGISNULL(3);
	answer->amount = answer->has_amount ? arg_amount(fcinfo, 3, "amount") : 0;
	answer->words.raw = arg_evidence(fcinfo, 4, "raw", raw_cut);
}

static Datum
return_unknown(FunctionCallInfo fcinfo, int64 refund_id, const char *why, bool raw_cut)
{
	CallResult	result = {.id_is_null = true, .disposition = "held"};
	JsonbBuilder *detail = jsonb_object_begin();

	jsonb_add_id(detail, "refund_id", refund_id);
	jsonb_add_text(detail, "reason", why);
	if (raw_cut)
		jsonb_add_bool(detail, "raw_cut", true);
	result.detail = jsonb_object_end(detail);
	return call_return_result(fcinfo, &result);
}

static Datum
refund_callback_body(FunctionCallInfo fcinfo)
{
	int64		refund_id = arg_id(fcinfo, 0, "refund_id");
	RefundAnswer answer;
	bool		raw_cut;
	Refund		refund;
	Journal    *journal;
	const char *disposition;
	const char *why;
	JsonbBuilder *detail;

	read_answer(fcinfo, &answer, &raw_cut);
	if (!lock_and_read(refund_id, &refund))
	{
		journal = journal_begin(GetCurrentTimestamp());
		why = refund_answer_unknown(journal, refund_id, &answer);
		journal_write(journal);
		return return_unknown(fcinfo, refund_id, why, raw_cut);
	}
	journal = journal_begin(GetCurrentTimestamp());
	disposition = refund_answer(journal, &refund, &answer, &why);
	journal_write(journal);

	detail = refund_detail(&refund);
	if (why != NULL)
		jsonb_add_text(detail, "reason", why);
	if (raw_cut)
		jsonb_add_bool(detail, "raw_cut", true);
	return return_refund(fcinfo, &refund, disposition, detail);
}

PG_FUNCTION_INFO_V1(order_ext_refund_callback);
Datum
order_ext_refund_callback(PG_FUNCTION_ARGS)
{
	return api_call(fcinfo, refund_callback_body);
}

/* ---- retry_refund ---- */

static Datum
retry_refund_body(FunctionCallInfo fcinfo)
{
	int64		refund_id = arg_id(fcinfo, 0, "refund_id");
	const char *disposition = "noop";
	Refund		refund;
	Journal    *journal;

	refund_read_or_fail(refund_id, &refund);
	lock_wait(LOCK_REFUND, refund.order_id);
	refund_read_or_fail(refund_id, &refund);
	if (after_sale_permits_retry(&refund))
	{
		journal = journal_begin(GetCurrentTimestamp());
		refund_fire(journal, &refund,
					refund.status == REFUND_FAILED ? EVENT_REFUND_RETRY : EVENT_REFUND_UNHOLD,
					ACTOR_STAFF, NULL);
		after_sales_follow_refunds(journal, &refund, 1, ACTOR_STAFF);
		journal_write(journal);
		disposition = "applied";
	}
	return return_refund(fcinfo, &refund, disposition, NULL);
}

PG_FUNCTION_INFO_V1(order_ext_retry_refund);
Datum
order_ext_retry_refund(PG_FUNCTION_ARGS)
{
	return api_call(fcinfo, retry_refund_body);
}

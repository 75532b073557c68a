/*
 * review_after_sale.c
 *		review_after_sale, revoke_after_sale, close_after_sale, reopen_after_sale: decisions of
 *		staff and buyer about an after-sale.
 */
#include "compat.h"

#include "api/after_sale_result.h"
#include "api/way_back.h"
#include "core/args.h"
#include "core/error_facts.h"
#include "core/errors.h"
#include "core/request.h"

/* ---- the frame of these calls ---- */

typedef struct Decision
{
	int64		after_sale_id;
	bool		accept;			/* of a review */
	int64		user_id;		/* of a revocation */
	char	   *reason;
	/* decides about the locked after-sale; returns the disposition */
	const char *(*decide) (Journal *journal, const struct Decision *decision,
						   AfterSale *after_sale);
} Decision;

static void
decide_once(void *arg, const RequestKey *key, CallResult *result)
{
	const Decision *decision = arg;
	AfterSale	after_sale;
	Journal    *journal;
	const char *disposition;

	after_sale_lock(decision->after_sale_id, &after_sale);
	journal = journal_begin(GetCurrentTimestamp());
	disposition = decision->decide(journal, decision, &after_sale);
	journal_write(journal);
	after_sale_result(result, &after_sale, disposition, NULL);
}

/* A call that works where the after-sale is now. */
static const char *
hint_of(const AfterSale *after_sale)
{
	switch ((AfterSaleStatus) after_sale->status)
	{
		case AFTER_SALE_APPLIED:
			return "Use review_after_sale.";
		case AFTER_SALE_REJECTED:
			return "Use reopen_after_sale.";
		case AFTER_SALE_APPROVED:
		case AFTER_SALE_REFUNDING:
			if (after_sale->return_status == RETURN_DAMAGED)
				return "Decide about the damaged goods with resolve_damaged.";
			if (after_sale_awaits_goods(after_sale))
				return "Report with return_receipt what came back; what never comes is left out "
					"when the return window ends.";
			return way_back_of_refunds(after_sale);
		case AFTER_SALE_FAILED:
			return "Use retry_refund for its failed refund, settle_refund if it was paid "
				"otherwise, or close_after_sale.";
		default:
			return way_back_of_order(after_sale->order_id);
	}
}

/* reason, for programs, and sentence are NULL if the status is the reason. */
static void
raise_status(const AfterSale *after_sale, const char *what, const char *reason,
			 const char *sentence)
{
	const char *status = machine_status_name(MACHINE_AFTER_SALE, after_sale->status);

	ereport(ERROR,
			(errcode(ERRCODE_OE_WRONG_STATUS),
			 errmsg("after-sale " INT64_FORMAT " cannot be %s", after_sale->after_sale_id, what),
			 reason != NULL ? error_facts(sentence,
										  FACT_TEXT("reason", reason),
										  FACT_ID("after_sale_id", after_sale->after_sale_id),
										  FACT_TEXT("status", status)) :
			 error_facts("Its status is \"{status}\".",
						 FACT_ID("after_sale_id", after_sale->after_sale_id),
						 FACT_TEXT("status", status)),
			 errhint("%s", hint_of(after_sale))));
}

/* ---- review_after_sale ---- */

static const char *
review(Journal *journal, const Decision *decision, AfterSale *after_sale)
{
	const char *status = machine_status_name(MACHINE_AFTER_SALE, after_sale->status);

	if (after_sale->status != AFTER_SALE_APPLIED)
		ereport(ERROR,
				(errcode(ERRCODE_OE_NOT_REVIEWABLE),
				 errmsg("after-sale " INT64_FORMAT " is not awaiting review",
						after_sale->after_sale_id),
				 error_facts("Its status is \"{status}\".",
							 FACT_ID("after_sale_id", after_sale->after_sale_id),
							 FACT_TEXT("status", status)),
				 errhint("%s", hint_of(after_sale))));
	if (decision->accept)
		after_sale_approve(journal, after_sale, decision->reason);
	else
		(void) after_sale_give_up(journal, after_sale, EVENT_AFTER_SALE_REJECT, ACTOR_STAFF,
								  decision->reason);
	return "applied";
}

static Datum
review_after_sale_body(FunctionCallInfo fcinfo)
{
	Decision	decision = {.decide = review};

	decision.after_sale_id = arg_id(fcinfo, 0, "after_sale_id");
	arg_not_null(fcinfo, 1, "accept");
	decision.accept = PG_GETARG_BOOL(1);
	decision.reason = arg_text_or_null(fcinfo, 2, "reason", MAX_REASON_CHARS);
	return request_call(fcinfo, "review_after_sale", 3, decide_once, &decision);
}

PG_FUNCTION_INFO_V1(order_ext_review_after_sale);
Datum
order_ext_review_after_sale(PG_FUNCTION_ARGS)
{
	return api_call(fcinfo, review_after_sale_body);
}

/* ---- revoke_after_sale ---- */

static const char *
take_back(Journal *journal, const Decision *decision, AfterSale *after_sale)
{
	if (after_sale->user_id != decision->user_id)
		ereport(ERROR,
				(errcode(ERRCODE_OE_NOT_OWNER),
				 errmsg("after-sale " INT64_FORMAT " belongs to another user",
						after_sale->after_sale_id),
				 error_facts("User {user_id} is not its owner.",
							 FACT_ID("after_sale_id", after_sale->after_sale_id),
							 FACT_ID("user_id", decision->user_id)),
				 errhint("Pass the user_id of its owner.")));
	if (after_sale->status == AFTER_SALE_REVOKED)
		return "noop";
	if (!machine_allows(MACHINE_AFTER_SALE, after_sale->status, EVENT_AFTER_SALE_REVOKE,
						ACTOR_BUYER))
		raise_status(after_sale, "revoked", NULL, NULL);
	if (after_sale->origin != NULL)
		raise_status(after_sale, "revoked", "not_applied_for",
					 "It was not opened by an application.");
	if (after_sale->return_status > RETURN_TO_SEND)
		raise_status(after_sale, "revoked", "goods_sent", "The goods are on their way back.");
	if (!after_sale_give_up(journal, after_sale, EVENT_AFTER_SALE_REVOKE, ACTOR_BUYER, NULL))
		raise_status(after_sale, "revoked", "refund", "Its refund is being executed.");
	return "applied";
}

static Datum
revoke_after_sale_body(FunctionCallInfo fcinfo)
{
	Decision	decision = {.decide = take_back};

	decision.after_sale_id = arg_id(fcinfo, 0, "after_sale_id");
	decision.user_id = arg_id(fcinfo, 1, "user_id");
	return request_call(fcinfo, "revoke_after_sale", 2, decide_once, &decision);
}

PG_FUNCTION_INFO_V1(order_ext_revoke_after_sale);
Datum
order_ext_revoke_after_sale(PG_FUNCTION_ARGS)
{
	return api_call(fcinfo, revoke_after_sale_body);
}

/* ---- close_after_sale ---- */

static const char *
close_it(Journal *journal, const Decision *decision, AfterSale *after_sale)
{
	if (after_sale->status == AFTER_SALE_CLOSED)
		return "noop";
	if (after_sale->status == AFTER_SALE_REFUNDING ||
		!machine_allows(MACHINE_AFTER_SALE, after_sale->status, EVENT_AFTER_SALE_CLOSE,
						ACTOR_STAFF))
		raise_status(after_sale, "closed", NULL, NULL);
	if (after_sale->status == AFTER_SALE_APPROVED && after_sale->origin != NULL &&
		strcmp(after_sale->origin, AFTER_SALE_ORIGIN_REFUSED) != 0 &&
		after_sale->type != AFTER_SALE_GOODWILL)
		raise_status(after_sale, "closed", "must_refund",
					 "Its order is canceled, lost or short of goods: the money must be refunded.");
	if (!after_sale_give_up(journal, after_sale, EVENT_AFTER_SALE_CLOSE, ACTOR_STAFF,
							decision->reason))
		raise_status(after_sale, "closed", "refund", "Its refund is being executed.");
	return "applied";
}

static Datum
close_after_sale_body(FunctionCallInfo fcinfo)
{
	Decision	decision = {.decide = close_it};

	decision.after_sale_id = arg_id(fcinfo, 0, "after_sale_id");
	decision.reason = arg_text(fcinfo, 1, "reason", MAX_REASON_CHARS);
	return request_call(fcinfo, "close_after_sale", 2, decide_once, &decision);
}

PG_FUNCTION_INFO_V1(order_ext_close_after_sale);
Datum
order_ext_close_after_sale(PG_FUNCTION_ARGS)
{
	return api_call(fcinfo, close_after_sale_body);
}

/* ---- reopen_after_sale ---- */

static const char *
reopen(Journal *journal, const Decision *decision, AfterSale *after_sale)
{
	if (after_sale->status == AFTER_SALE_APPLIED)
		return "noop";
	if (after_sale->status != AFTER_SALE_REJECTED)
		raise_status(after_sale, "reopened", NULL, NULL);
	after_sale_reopen(journal, after_sale);
	return "applied";
}

static Datum
reopen_after_sale_body(FunctionCallInfo fcinfo)
{
	Decision	decision = {.decide = reopen};

	decision.after_sale_id = arg_id(fcinfo, 0, "after_sale_id");
	return request_call(fcinfo, "reopen_after_sale", 1, decide_once, &decision);
}

PG_FUNCTION_INFO_V1(order_ext_reopen_after_sale);
Datum
order_ext_reopen_after_sale(PG_FUNCTION_ARGS)
{
	return api_call(fcinfo, reopen_after_sale_body);
}

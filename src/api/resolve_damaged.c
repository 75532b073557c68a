/*
 * resolve_damaged.c
 *		resolve_damaged: staff decides whether damaged goods that came back are paid for.
 */
#include "compat.h"

#include "api/after_sale_result.h"
#include "api/way_back.h"
#include "core/args.h"
#include "core/error_facts.h"
#include "core/errors.h"
#include "core/jsonb_build.h"
#include "core/request.h"
#include "machine/after_sale/came_back.h"
#include "machine/after_sale/flow.h"

typedef struct DamageDecision
{
	int64		after_sale_id;
	bool		refund;
} DamageDecision;

/* Where damaged pieces may wait for a decision. */
static void
check_undecided(const AfterSale *after_sale, const CameBackLine *lines, int n)
{
	const char *status = machine_status_name(MACHINE_AFTER_SALE, after_sale->status);

	if (after_sale->return_status == RETURN_DAMAGED &&
		(after_sale->status == AFTER_SALE_APPROVED || after_sale->status == AFTER_SALE_REFUNDING ||
		 after_sale->status == AFTER_SALE_FAILED) &&
		came_back_undecided_of(lines, n) > 0)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_OE_NOT_REVIEWABLE),
			 errmsg("after-sale " INT64_FORMAT " has no damaged goods awaiting a decision",
					after_sale->after_sale_id),
			 after_sale->return_status == NO_RETURN
			 ? error_facts("Its status is \"{status}\", without goods to send back.",
						   FACT_ID("after_sale_id", after_sale->after_sale_id),
						   FACT_TEXT("status", status))
			 : error_facts("Its status is \"{status}\", that of its goods \"{return_status}\".",
						   FACT_ID("after_sale_id", after_sale->after_sale_id),
						   FACT_TEXT("status", status),
						   FACT_TEXT("return_status",
									 machine_status_name(MACHINE_RETURN,
														 after_sale->return_status))),
			 errhint("%s", way_back_of_order(after_sale->order_id))));
}

static Jsonb *
decision_detail(const AfterSale *after_sale, bool pay, const CameBackRefund *refund)
{
	JsonbBuilder *detail = after_sale_detail(after_sale);

	jsonb_add_bool(detail, "refund", pay);
	if (refund->refund_id != 0)
	{
		jsonb_add_id(detail, "refund_id", refund->refund_id);
		jsonb_add_int(detail, "refund_amount", refund->amount);
	}
	return jsonb_object_end(detail);
}

static Jsonb *
fact_content(bool pay)
{
	JsonbBuilder *content = jsonb_object_begin();

	jsonb_add_bool(content, "refund", pay);
	return jsonb_object_end(content);
}

static void
resolve_once(void *arg, const RequestKey *key, CallResult *result)
{
	const DamageDecision *decision = arg;
	ReturnFact	fact = {
		.after_sale_id = decision->after_sale_id, .kind = RETURN_FACT_RESOLVED,
		.content = fact_content(decision->refund)
	};
	CameBackRefund refund = {0};
	CameBackLine *lines;
	AfterSale	after_sale;
	Journal    *journal;
	Jsonb	   *detail;
	int			n;

	after_sale_lock(decision->after_sale_id, &after_sale);
	lines = came_back_lines(&after_sale, &n);
	check_undecided(&after_sale, lines, n);
	journal = journal_begin(GetCurrentTimestamp());
	refund.event_id = return_fact_reserve();
	came_back_resolve(journal, &after_sale, lines, n, decision->refund, &refund);
	detail = decision_detail(&after_sale, decision->refund, &refund);
	return_fact_applied(journal, &fact, refund.event_id, detail);
	journal_write(journal);
	after_sale_result(result, &after_sale, "applied", detail);
}

static Datum
resolve_damaged_body(FunctionCallInfo fcinfo)
{
	DamageDecision decision;

	decision.after_sale_id = arg_id(fcinfo, 0, "after_sale_id");
	arg_not_null(fcinfo, 1, "refund");
	decision.refund = PG_GETARG_BOOL(1);
	return request_call(fcinfo, "resolve_damaged", 2, resolve_once, &decision);
}

PG_FUNCTION_INFO_V1(order_ext_resolve_damaged);
Datum
order_ext_resolve_damaged(PG_FUNCTION_ARGS)
{
	return api_call(fcinfo, resolve_damaged_body);
}

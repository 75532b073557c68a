/*
 * return_goods.c
 *		return_shipment and return_receipt: facts about goods that are sent back. They are never
 *		rejected; those that do not fit are held for staff.
 */
#include "compat.h"

#include "api/after_sale_result.h"
#include "api/lines.h"
#include "core/args.h"
#include "core/jsonb_build.h"
#include "core/locks.h"
#include "core/request.h"
#include "core/settings.h"
#include "machine/goods_return.h"

/* Reasons for holding a fact. */
static const char why_unknown[] = "unknown_after_sale";
static const char why_key[] = "request_id_reused";
static const char why_no_return[] = "no_goods_expected";
static const char why_status[] = "not_expected_now";
static const char why_lines[] = "lines_differ";
static const char why_other[] = "contradicts_first";

/* A fact being processed. */
typedef struct Report
{
	ReturnFact	fact;
	bool		known;			/* the after-sale exists */
	AfterSale	after_sale;
	const char *carrier;		/* of a shipment */
	const char *tracking_no;
	Lines	   *lines;			/* of a receipt */
	bool		restock;
} Report;

static Jsonb *
report_detail(const Report *report, const char *why)
{
	JsonbBuilder *detail;

	if (report->known)
		detail = after_sale_detail(&report->after_sale);
	else
	{
		detail = jsonb_object_begin();
		jsonb_add_id(detail, "after_sale_id", report->fact.after_sale_id);
	}
	if (why != NULL)
		jsonb_add_text(detail, "reason", why);
	return jsonb_object_end(detail);
}

/* ---- judging: NULL, or why the fact is held ---- */

/* Whether the fact is the one that the approved return is waiting for. */
static const char *
judge_stage(const Report *report)
{
	const AfterSale *after_sale = &report->after_sale;

	if (!report->known)
		return why_unknown;
	if (after_sale->return_status == NO_RETURN)
		return why_no_return;
	if (after_sale->status != AFTER_SALE_APPROVED)
		return why_status;
	if (report->fact.kind == RETURN_FACT_SHIPMENT)
		return after_sale->return_status == RETURN_TO_SEND ? NULL :
			after_sale->return_status > RETURN_TO_SEND ? why_other : why_status;
	return after_sale->return_status == RETURN_TO_SEND ||
		after_sale->return_status == RETURN_IN_TRANSIT ? NULL :
		after_sale->return_status > RETURN_IN_TRANSIT ? why_other : why_status;
}

/* Checks that the lines are exactly those applied for; fills in what was received. */
static bool
match_lines(const Lines *told, ReturnedLine *lines, int n)
{
	int			i;

	if (told->n != n)
		return false;
	for (i = 0; i < n; i++)
	{
		const Line *line = lines_find(told, lines[i].sku);

		if (line == NULL || line->quantity != lines[i].quantity)
			return false;
		lines[i].received = line->quantity;
		lines[i].damaged = line->damaged;
	}
	return true;
}

/* Apply a fact, or return why it is held. */
static const char *
apply(Journal *journal, Report *report)
{
	ReturnChange change = {
		.return_by = DT_NOBEGIN,
		.carrier = report->carrier,
		.tracking_no = report->tracking_no
	};
	JsonbBuilder *detail;
	ReturnedLine *lines;
	int			n;

	if (report->fact.kind == RETURN_FACT_SHIPMENT)
	{
		detail = jsonb_object_begin();
		jsonb_add_text(detail, "carrier", report->carrier);
		jsonb_add_text(detail, "tracking_no", report->tracking_no);
		return_fire(journal, &report->after_sale, EVENT_RETURN_SEND, ACTOR_WAREHOUSE, &change,
					jsonb_object_end(detail));
		return NULL;
	}
	lines = return_lines(report->fact.after_sale_id, &n);
	if (!match_lines(report->lines, lines, n))
		return why_lines;
	after_sale_goods_received(journal, &report->after_sale, lines, n, report->restock);
	return NULL;
}

static void
work_off(Report *report, const char *why, CallResult *result)
{
	Journal    *journal = journal_begin(GetCurrentTimestamp());
	Jsonb	   *known;

	result->disposition = "applied";
	if (why == NULL)
		why = judge_stage(report);
	if (why == NULL)
		why = apply(journal, report);
	else if (why != why_key && return_fact_known(&report->fact, &known))
	{
		result->disposition = "replayed";
		result->detail = known;
		return;
	}
	result->detail = report_detail(report, why);
	if (why == NULL)
		return_fact_applied(journal, &report->fact, result->detail);
	else
	{
		result->disposition = "held";
		return_fact_held(journal, &report->fact, report->known ? &report->after_sale : NULL, why,
						 result->detail);
	}
	journal_write(journal);
}

/* ---- the calls ---- */

static void
report_once(void *arg, const RequestKey *key, CallResult *result)
{
	Report	   *report = arg;
	int64		after_sale_id = report->fact.after_sale_id;

	if (after_sale_read(after_sale_id, &report->after_sale))
	{
		lock_wait(LOCK_REFUND, report->after_sale.order_id);
		report->known = after_sale_read(after_sale_id, &report->after_sale);
	}
	work_off(report, key->reused ? why_key : NULL, result);
	result->id = after_sale_id;
	result->id_is_null = !report->known;
	if (report->known)
	{
		result->status = machine_status_name(MACHINE_AFTER_SALE, report->after_sale.status);
		result->version = report->after_sale.version;
	}
}

static Datum
return_shipment_body(FunctionCallInfo fcinfo)
{
	Report		report = {0};
	JsonbBuilder *content = jsonb_object_begin();

	report.fact.kind = RETURN_FACT_SHIPMENT;
	report.fact.after_sale_id = arg_id(fcinfo, 0, "after_sale_id");
	report.carrier = arg_text(fcinfo, 1, "carrier", MAX_CARRIER_CHARS);
	report.tracking_no = arg_text(fcinfo, 2, "tracking_no", MAX_TRACKING_CHARS);
	jsonb_add_text(content, "carrier", report.carrier);
	jsonb_add_text(content, "tracking_no", report.tracking_no);
	report.fact.content = jsonb_object_end(content);
	return request_fact(fcinfo, "return_shipment", 3, report_once, &report);
}

PG_FUNCTION_INFO_V1(order_ext_return_shipment);
Datum
order_ext_return_shipment(PG_FUNCTION_ARGS)
{
	return api_call(fcinfo, return_shipment_body);
}

/* The lines added up by SKU, so that equal receipts are equal however they are written. */
static Jsonb *
receipt_content(const Lines *lines, bool restock)
{
	JsonbBuilder *content = jsonb_object_begin();
	int			i;

	jsonb_add_bool(content, "restock", restock);
	for (i = 0; i < lines->n; i++)
	{
		const Line *line = &lines->lines[i];
		JsonbBuilder *pieces = jsonb_object_begin();

		jsonb_add_int(pieces, "quantity", line->quantity);
		if (line->damaged > 0)
			jsonb_add_int(pieces, "damaged", line->damaged);
		/* the prefix keeps any SKU from colliding with "restock" */
		jsonb_add_jsonb(content, psprintf("sku %s", line->sku), jsonb_object_end(pieces));
	}
	return jsonb_object_end(content);
}

static Datum
return_receipt_body(FunctionCallInfo fcinfo)
{
	Report		report = {0};

	report.fact.kind = RETURN_FACT_RECEIPT;
	report.fact.after_sale_id = arg_id(fcinfo, 0, "after_sale_id");
	report.lines = lines_parse(arg_jsonb(fcinfo, 1, "lines", setting_max_payload), "lines", true);
	arg_not_null(fcinfo, 2, "restock");
	report.restock = PG_GETARG_BOOL(2);
	report.fact.content = receipt_content(report.lines, report.restock);
	return request_fact(fcinfo, "return_receipt", 3, report_once, &report);
}

PG_FUNCTION_INFO_V1(order_ext_return_receipt);
Datum
order_ext_return_receipt(PG_FUNCTION_ARGS)
{
	return api_call(fcinfo, return_receipt_body);
}

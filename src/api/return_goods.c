/*
 * return_goods.c
 *		return_shipment and return_receipt: facts about goods that are sent back. They are never
 *		rejected; those that do not fit are held for staff.
 */
#include "compat.h"

#include "api/after_sale_result.h"
#include "api/lines.h"
#include "core/arg_codes.h"
#include "core/args.h"
#include "core/jsonb_build.h"
#include "core/locks.h"
#include "core/request.h"
#include "core/settings.h"
#include "machine/after_sale/came_back.h"
#include "machine/archive/dropped.h"

/* Reasons for holding a fact. */
static const char why_unknown[] = "unknown_after_sale";
static const char why_dropped[] = "dropped_order";
static const char why_key[] = "request_id_reused";
static const char why_no_return[] = "no_goods_expected";
static const char why_status[] = "not_expected_now";
static const char why_lines[] = "lines_differ";
static const char why_ambiguous[] = "line_needed";
static const char why_other[] = "contradicts_first";

/* A fact being processed. */
typedef struct Report
{
	ReturnFact	fact;
	bool		known;			/* the after-sale exists */
	AfterSale	after_sale;
	const char *carrier;		/* of a shipment */
	const char *tracking_no;
	Lines	   *told;			/* of a receipt */
	bool		restock;
	CameBackLine *lines;		/* of the after-sale */
	int			n_lines;
	CameBackRefund refund;		/* of a receipt that was applied */
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
	if (report->refund.refund_id != 0)
	{
		jsonb_add_id(detail, "refund_id", report->refund.refund_id);
		jsonb_add_int(detail, "refund_amount", report->refund.amount);
	}
	return jsonb_object_end(detail);
}

/* ---- judging: NULL, or why the fact is held ---- */

/* Whether the return waits for pieces, and has told so by its status. */
static bool
awaits_pieces(const Report *report)
{
	switch ((ReturnStatus) report->after_sale.return_status)
	{
		case RETURN_TO_SEND:
		case RETURN_IN_TRANSIT:
			return report->after_sale.status == AFTER_SALE_APPROVED;
		case RETURN_PARTLY:
		case RETURN_DAMAGED:
			return (report->after_sale.status == AFTER_SALE_APPROVED ||
					report->after_sale.status == AFTER_SALE_REFUNDING ||
					report->after_sale.status == AFTER_SALE_FAILED) &&
				came_back_awaited_of(report->lines, report->n_lines) > 0;
		default:
			return false;
	}
}

/* Whether the fact is one that the approved return is waiting for. */
static const char *
judge_stage(const Report *report)
{
	const AfterSale *after_sale = &report->after_sale;
	bool		is_shipment = report->fact.kind == RETURN_FACT_SHIPMENT;

	if (!report->known)
		return dropped_had_id("after_sale", report->fact.after_sale_id) ?
			why_dropped : why_unknown;
	if (after_sale->return_status == NO_RETURN)
		return why_no_return;
	if (awaits_pieces(report) && !(is_shipment && after_sale->return_status == RETURN_IN_TRANSIT))
		return NULL;
	if (after_sale->status != AFTER_SALE_APPROVED)
		return why_status;
	return after_sale->return_status > (is_shipment ? RETURN_TO_SEND : RETURN_IN_TRANSIT) ?
		why_other : why_status;
}

/* The line that was reported; NULL if the after-sale has none. */
static CameBackLine *
find_line(const Report *report, const Line *told)
{
	int			i;

	for (i = 0; i < report->n_lines; i++)
	{
		CameBackLine *line = &report->lines[i];

		if (told->sku != NULL ? strcmp(line->sku, told->sku) == 0 : line->line == told->line)
			return line;
	}
	return NULL;
}

/* Checks that no more is reported than is awaited; fills in what has come now. */
static const char *
match_lines(const Report *report)
{
	int			i;

	for (i = 0; i < report->told->n; i++)
	{
		const Line *told = &report->told->lines[i];
		CameBackLine *line = find_line(report, told);

		if (line == NULL)
			return why_lines;
		if (told->sku != NULL && line->lines_of_sku > 1)
			return why_ambiguous;
		if (told->quantity > came_back_awaited(line) - line->now)
			return why_lines;
		line->now += told->quantity;
		line->now_damaged += told->damaged;
	}
	return NULL;
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
	const char *why;

	if (report->fact.kind == RETURN_FACT_SHIPMENT)
	{
		detail = jsonb_object_begin();
		jsonb_add_text(detail, "carrier", report->carrier);
		jsonb_add_text(detail, "tracking_no", report->tracking_no);
		return_fire(journal, &report->after_sale, EVENT_RETURN_SEND, ACTOR_WAREHOUSE, &change,
					jsonb_object_end(detail));
		return NULL;
	}
	why = match_lines(report);
	if (why == NULL)
		came_back_receive(journal, &report->after_sale, report->lines, report->n_lines,
						  report->restock, &report->refund);
	return why;
}

/*
 * Whether the fact repeats one that was applied. A receipt with a key of its own tells of further
 * pieces, however equal they are.
 */
static bool
repeats(const Report *report, const RequestKey *key, Jsonb **detail)
{
	if (key->reused || (report->fact.kind == RETURN_FACT_RECEIPT && key->request_id != NULL))
		return false;
	return return_fact_known(&report->fact, detail);
}

static void
work_off(Report *report, const RequestKey *key, CallResult *result)
{
	Journal    *journal = journal_begin(GetCurrentTimestamp());
	const char *why;

	if (repeats(report, key, &result->detail))
	{
		result->disposition = "replayed";
		return;
	}
	result->disposition = "applied";
	report->refund.event_id = return_fact_reserve();
	why = key->reused ? why_key : judge_stage(report);
	if (why == NULL)
		why = apply(journal, report);
	result->detail = report_detail(report, why);
	if (why == NULL)
		return_fact_applied(journal, &report->fact, report->refund.event_id, result->detail);
	else
	{
		result->disposition = "held";
		return_fact_held(journal, &report->fact, report->known ? &report->after_sale : NULL, why,
						 result->detail);
	}
	journal_write(journal);
}

/*
 * The key of a line in the content of a receipt. The prefixes keep any SKU from colliding with
 * "restock". A line given by number has the key of its SKU where that is the only one.
 */
static const char *
content_key(const Report *report, const Line *told)
{
	const CameBackLine *line = told->sku == NULL ? find_line(report, told) : NULL;

	if (told->sku != NULL)
		return psprintf("sku %s", told->sku);
	if (line != NULL && line->lines_of_sku == 1)
		return psprintf("sku %s", line->sku);
	return psprintf("line %d", told->line);
}

/* So that equal receipts are equal however they are written. */
static Jsonb *
receipt_content(const Report *report)
{
	JsonbBuilder *content = jsonb_object_begin();
	int			i;

	jsonb_add_bool(content, "restock", report->restock);
	for (i = 0; i < report->told->n; i++)
	{
		const Line *line = &report->told->lines[i];
		JsonbBuilder *pieces = jsonb_object_begin();

		jsonb_add_int(pieces, "quantity", line->quantity);
		if (line->damaged > 0)
			jsonb_add_int(pieces, "damaged", line->damaged);
		jsonb_add_jsonb(content, content_key(report, line), jsonb_object_end(pieces));
	}
	return jsonb_object_end(content);
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
	if (report->known)
		report->lines = came_back_lines(&report->after_sale, &report->n_lines);
	if (report->fact.kind == RETURN_FACT_RECEIPT)
		report->fact.content = receipt_content(report);
	work_off(report, key, result);
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
	report.carrier = arg_codes_trimmed(fcinfo, 1, "carrier", MAX_CARRIER_CHARS);
	report.tracking_no = arg_codes_trimmed(fcinfo, 2, "tracking_no", MAX_TRACKING_CHARS);
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

static Datum
return_receipt_body(FunctionCallInfo fcinfo)
{
	Report		report = {0};

	report.fact.kind = RETURN_FACT_RECEIPT;
	report.fact.after_sale_id = arg_id(fcinfo, 0, "after_sale_id");
	report.told = lines_parse(arg_jsonb(fcinfo, 1, "lines", setting_max_payload), "lines",
							  LINES_RECEIVED);
	arg_not_null(fcinfo, 2, "restock");
	report.restock = PG_GETARG_BOOL(2);
	return request_fact(fcinfo, "return_receipt", 3, report_once, &report);
}

PG_FUNCTION_INFO_V1(order_ext_return_receipt);
Datum
order_ext_return_receipt(PG_FUNCTION_ARGS)
{
	return api_call(fcinfo, return_receipt_body);
}

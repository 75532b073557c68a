/*
 * shipment_event.c
 *		shipment_event and fulfilment_cancel_result: facts of warehouse and carrier. They are
 *		never rejected; each is recorded, and the disposition tells the outcome.
 */
#include "compat.h"

#include "core/arg_codes.h"
#include "core/args.h"
#include "core/call.h"
#include "core/jsonb_build.h"
#include "core/locks.h"
#include "machine/archive/dropped.h"
#include "machine/cancel/cancel.h"
#include "machine/shipment/intercept.h"
#include "machine/shipment/shipment.h"

static const char *const kind_words[] = {
	"picked", "out_stock", "delivering", "signed", "refused", "lost", "returned", NULL
};

/* Another fact has this event_id already. */
static const ShipmentVerdict reused = {SHIPMENT_HELD, "event_id_reused_held"};
static const ShipmentVerdict accepted_too_late = {SHIPMENT_HELD, "accepted_after_out_held"};
static const ShipmentVerdict accepted_unasked = {SHIPMENT_HELD, "accepted_unasked_held"};
static const ShipmentVerdict rejected_too_late = {SHIPMENT_HELD, "rejected_after_cancel_held"};
static const ShipmentVerdict unknown_order = {SHIPMENT_HELD, "unknown_order_held"};
static const ShipmentVerdict dropped_order = {SHIPMENT_HELD, "dropped_order_held"};
static const ShipmentVerdict answered = {SHIPMENT_APPLIED, NULL};
static const ShipmentVerdict no_effect = {SHIPMENT_NO_EFFECT, NULL};

/* A fact being processed: its subject, and what is known about it. */
typedef struct Report
{
	ShipmentFact fact;
	bool		payload_cut;
	bool		known;			/* the order exists */
	Order		order;
	Fulfilment	fulfilment;
} Report;

static const char *
disposition(ShipmentState state)
{
	switch (state)
	{
		case SHIPMENT_APPLIED:
			return "applied";
		case SHIPMENT_PARKED:
			return "parked";
		case SHIPMENT_HELD:
			return "held";
		case SHIPMENT_BEHIND:
			return "replayed";
		case SHIPMENT_NO_EFFECT:
			return "noop";
	}
	return NULL;
}

static Jsonb *
report_detail(const Report *report, ShipmentVerdict verdict)
{
	JsonbBuilder *detail = jsonb_object_begin();

	jsonb_add_text(detail, "event_id", report->fact.event_id);
	jsonb_add_text(detail, "kind", code_name(CODES_SHIPMENT_KIND, report->fact.kind));
	if (verdict.reason != NULL)
		jsonb_add_text(detail, "reason", verdict.reason);
	if (report->payload_cut)
		jsonb_add_bool(detail, "payload_cut", true);
	return jsonb_object_end(detail);
}

/* What the answer of an external warehouse means in the current status. */
static ShipmentVerdict
judge_answer(const Report *report)
{
	bool		accepted = report->fact.kind == SHIPMENT_CANCEL_ACCEPTED;

	if (report->order.status == ORDER_FULFILLING &&
		report->fulfilment.status == FULFILMENT_CANCEL_REQUESTED)
		return answered;
	switch ((OrderStatus) report->order.status)
	{
		case ORDER_CANCELED:
			return accepted ? no_effect : rejected_too_late;
		case ORDER_CREATED:
		case ORDER_PAID:
		case ORDER_FULFILLING:
			return accepted ? accepted_unasked : no_effect;
		default:
			return accepted ? accepted_too_late : no_effect;
	}
}

static ShipmentVerdict
judge(const Report *report)
{
	DroppedOrder dropped;

	if (!report->known)
		return dropped_read(report->fact.order_id, &dropped) ? dropped_order : unknown_order;
	if (report->fact.source == SOURCE_CANCEL_RESULT)
		return judge_answer(report);
	return shipment_judge(report->fact.kind, &report->order, &report->fulfilment);
}

static void
apply(Journal *journal, Report *report)
{
	switch (report->fact.kind)
	{
		case SHIPMENT_CANCEL_ACCEPTED:
			cancel_intercepted(journal, &report->order, &report->fulfilment,
							   report->fact.event_id);
			break;
		case SHIPMENT_CANCEL_REJECTED:
			intercept_refused(journal, &report->order, &report->fulfilment,
							  report->fact.event_id);
			break;
		default:
			shipment_apply(journal, &report->fact, &report->order);
	}
	if (report->order.status != ORDER_CANCELED)
		shipments_settle(journal, &report->order);
}

/* A fact with a new event_id, or one that contradicts the recorded fact. */
static void
work_off(Report *report, const ShipmentRecord *record, CallResult *result)
{
	Journal    *journal = journal_begin(GetCurrentTimestamp());
	ShipmentVerdict verdict = record->n > 0 ? reused : judge(report);

	report->fact.seq = record->n + 1;
	result->disposition = disposition(verdict.state);
	result->detail = report_detail(report, verdict);
	shipment_record(journal, &report->fact, report->known ? &report->order : NULL, verdict,
					result->detail);
	if (verdict.state == SHIPMENT_APPLIED)
		apply(journal, report);
	journal_write(journal);
}

/* A refusal, on time or too early, opens an after-sale; no stock is locked yet. */
static void
lock_order(const ShipmentFact *fact)
{
	int			n_refused;

	lock_wait(LOCK_ORDER_CANCEL, fact->order_id);
	(void) shipments_refused_early(&fact->order_id, 1, &n_refused);
	if (n_refused > 0 ||
		(fact->source == SOURCE_SHIPMENT && shipment_ends_undelivered(fact->kind)))
		lock_wait(LOCK_REFUND, fact->order_id);
}

static Datum
report(FunctionCallInfo fcinfo, Report *report)
{
	ShipmentRecord record;
	CallResult	result = {0};

	lock_order(&report->fact);
	report->known = order_read_current(report->fact.order_id, &report->order);
	if (report->known && report->order.status == ORDER_FULFILLING)
		fulfilment_read_or_fail(report->fact.order_id, &report->fulfilment);
	shipment_find(&report->fact, &record);
	if (record.same)
	{
		result.disposition = record.first ? "replayed" : "held";
		result.detail = record.detail;
	}
	else
		work_off(report, &record, &result);

	order_result(&result, report->fact.order_id, report->known ? &report->order : NULL);
	return call_return_result(fcinfo, &result);
}

static Datum
shipment_event_body(FunctionCallInfo fcinfo)
{
	Report		event = {0};

	event.fact.source = SOURCE_SHIPMENT;
	event.fact.order_id = arg_id(fcinfo, 0, "order_id");
	event.fact.event_id = arg_codes_trimmed(fcinfo, 1, "event_id", MAX_EVENT_ID_CHARS);
	event.fact.kind = SHIPMENT_PICKED + arg_word(fcinfo, 2, "kind", kind_words);
	event.fact.occurred_at = PG_ARGISNULL(3) ? GetCurrentTimestamp() :
		arg_timestamptz(fcinfo, 3, "occurred_at");
	event.fact.payload = arg_evidence(fcinfo, 4, "payload", &event.payload_cut);
	return report(fcinfo, &event);
}

PG_FUNCTION_INFO_V1(order_ext_shipment_event);
Datum
order_ext_shipment_event(PG_FUNCTION_ARGS)
{
	return api_call(fcinfo, shipment_event_body);
}

static Datum
fulfilment_cancel_result_body(FunctionCallInfo fcinfo)
{
	Report		answer = {0};

	answer.fact.source = SOURCE_CANCEL_RESULT;
	answer.fact.order_id = arg_id(fcinfo, 0, "order_id");
	arg_not_null(fcinfo, 1, "accepted");
	answer.fact.kind = PG_GETARG_BOOL(1) ? SHIPMENT_CANCEL_ACCEPTED : SHIPMENT_CANCEL_REJECTED;
	answer.fact.event_id = arg_codes_trimmed(fcinfo, 2, "event_id", MAX_EVENT_ID_CHARS);
	answer.fact.payload = arg_evidence(fcinfo, 3, "raw", &answer.payload_cut);
	answer.fact.occurred_at = GetCurrentTimestamp();
	return report(fcinfo, &answer);
}

PG_FUNCTION_INFO_V1(order_ext_fulfilment_cancel_result);
Datum
order_ext_fulfilment_cancel_result(PG_FUNCTION_ARGS)
{
	return api_call(fcinfo, fulfilment_cancel_result_body);
}

/*
 * goods_return.c
 *		The return machine, and facts about returns; see goods_return.h.
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"

#include "core/alert.h"
#include "core/errors.h"
#include "core/ids.h"
#include "core/spelling.h"
#include "core/spi_util.h"
#include "machine/after_sale/goods_return.h"
#include "machine/after_sale/message.h"
#include "machine/base/held_fact.h"

static SavedPlan move_return = SAVED_PLAN(
	"UPDATE order_ext_internal.after_sales"
	" SET return_status = $3, return_version = return_version + 1,"
	"     return_by = coalesce($5, return_by),"
	"     carrier = coalesce($6, carrier), tracking_no = coalesce($7, tracking_no),"
	"     goods_sent_at = CASE WHEN $3 = " CODE(RETURN_IN_TRANSIT) " THEN $4"
	"      ELSE goods_sent_at END,"
	"     goods_received_at = CASE WHEN $3 = " CODE(RETURN_RECEIVED) " THEN $4"
	"      ELSE goods_received_at END"
	" WHERE after_sale_id = $1 AND coalesce(return_status, " CODE(NO_RETURN) ") = $2",
	INT8OID, INT2OID, INT2OID, TIMESTAMPTZOID, TIMESTAMPTZOID, TEXTOID, TEXTOID);

static SavedPlan insert_fact = SAVED_PLAN(
	"INSERT INTO order_ext_internal.after_sale_events"
	" (event_id, after_sale_id, recorded_at, kind, disposition, reason, content, detail)"
	" OVERRIDING SYSTEM VALUE"
	" VALUES ($8, $1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
	INT8OID, TIMESTAMPTZOID, INT2OID, TEXTOID, TEXTOID, JSONBOID, JSONBOID, INT8OID);

/* Carriers are compared without regard to case. */
static SavedPlan find_fact = SAVED_PLAN(
	"SELECT detail FROM order_ext_internal.after_sale_events"
	" WHERE after_sale_id = $1 AND kind = $2 AND disposition = 'applied'"
	"  AND (content = $3 OR (content - 'carrier' = $3 - 'carrier'"
	"   AND " SPELLING_CODE_SQL("content->>'carrier'")
	"    = " SPELLING_CODE_SQL("$3->>'carrier'") "))",
	INT8OID, INT2OID, JSONBOID);

/* ---- the machine ---- */

void
return_fire(Journal *journal, AfterSale *after_sale, Event event, char actor,
			const ReturnChange *change, Jsonb *detail)
{
	const Edge *edge = machine_edge(MACHINE_RETURN, after_sale->return_status, event);
	bool		new_time = change != NULL && change->return_by != DT_NOBEGIN;
	const char *carrier = change != NULL ? change->carrier : NULL;
	const char *tracking_no = change != NULL ? change->tracking_no : NULL;
	Datum		values[7];
	char		nulls[7] = {' ', ' ', ' ', ' ', new_time ? ' ' : 'n',
	carrier != NULL ? ' ' : 'n', tracking_no != NULL ? ' ' : 'n'};

	values[0] = Int64GetDatum(after_sale->after_sale_id);
	values[1] = Int16GetDatum(edge->from);
	values[2] = Int16GetDatum(edge->to);
	values[3] = TimestampTzGetDatum(journal_time(journal));
	values[4] = TimestampTzGetDatum(new_time ? change->return_by : 0);
	values[5] = carrier != NULL ? CStringGetTextDatum(carrier) : (Datum) 0;
	values[6] = tracking_no != NULL ? CStringGetTextDatum(tracking_no) : (Datum) 0;
	if (plan_write(&move_return, values, nulls, 0) != 1)
		error_conflict("after-sale " INT64_FORMAT " was changed by another transaction",
					   after_sale->after_sale_id);
	after_sale->return_status = edge->to;
	after_sale->return_version++;
	journal_transition(journal, MACHINE_RETURN, edge, after_sale->after_sale_id,
					   after_sale->order_id, after_sale->return_version, actor, detail);
}

/* ---- facts ---- */

int64
return_fact_reserve(void)
{
	return id_next("after_sale_events_event_id_seq");
}

static bool
insert(Journal *journal, const ReturnFact *fact, int64 event_id, const char *reason,
	   Jsonb *detail)
{
	Datum		values[8];
	char		nulls[8] = {' ', ' ', ' ', ' ', reason != NULL ? ' ' : 'n', ' ', ' ', ' '};

	values[0] = Int64GetDatum(fact->after_sale_id);
	values[1] = TimestampTzGetDatum(journal_time(journal));
	values[2] = Int16GetDatum(fact->kind);
	values[3] = CStringGetTextDatum(reason == NULL ? "applied" : "held");
	values[4] = reason != NULL ? CStringGetTextDatum(reason) : (Datum) 0;
	values[5] = JsonbPGetDatum(fact->content);
	values[6] = JsonbPGetDatum(detail);
	values[7] = Int64GetDatum(event_id);
	return plan_write(&insert_fact, values, nulls, 0) > 0;
}

void
return_fact_applied(Journal *journal, const ReturnFact *fact, int64 event_id, Jsonb *detail)
{
	(void) insert(journal, fact, event_id, NULL, detail);
}

void
return_fact_held(Journal *journal, const ReturnFact *fact, const AfterSale *after_sale,
				 const char *reason, Jsonb *detail)
{
	AfterSale	unknown = {.after_sale_id = fact->after_sale_id};
	const AfterSale *about = after_sale != NULL ? after_sale : &unknown;
	HeldFact	held = {
		.kind = fact->kind == RETURN_FACT_SHIPMENT ? FACT_RETURN_SHIPMENT : FACT_RETURN_RECEIPT,
		.order_id = about->order_id, .entity_id = fact->after_sale_id, .reason = reason,
		.told = fact->content
	};

	if (insert(journal, fact, return_fact_reserve(), reason, detail))
		held_fact_record(journal, &held, ALERT_RETURN_HELD,
						 about->order_id != 0 ? about->order_id : about->after_sale_id,
						 after_sale_payload(about));
}

bool
return_fact_known(const ReturnFact *fact, Jsonb **detail)
{
	Datum		values[3];

	values[0] = Int64GetDatum(fact->after_sale_id);
	values[1] = Int16GetDatum(fact->kind);
	values[2] = JsonbPGetDatum(fact->content);
	if (plan_query(&find_fact, values, NULL, 1) == 0)
		return false;
	*detail = row_jsonb(0, 1);
	return true;
}

/*
 * held_fact.c
 *		Facts that wait for staff; see held_fact.h.
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "core/call.h"
#include "core/error_facts.h"
#include "core/errors.h"
#include "core/internal.h"
#include "core/spi_util.h"
#include "machine/base/held_fact.h"

static SavedPlan insert_fact = SAVED_PLAN(
	"INSERT INTO order_ext_internal.held_facts (at, order_id, entity_id, kind, reason, payload)"
	" VALUES ($1, $2, $3, $4, $5, $6)",
	TIMESTAMPTZOID, INT8OID, INT8OID, TEXTOID, TEXTOID, JSONBOID);

static SavedPlan resolve = SAVED_PLAN(
	"UPDATE order_ext_internal.held_facts"
	" SET resolved_at = $2, note = $3, resolved_by = $4, operator = $5"
	" WHERE fact_id = $1 AND resolved_at IS NULL",
	INT8OID, TIMESTAMPTZOID, TEXTOID, TEXTOID, TEXTOID);

static SavedPlan is_there = SAVED_PLAN(
	"SELECT FROM order_ext_internal.held_facts WHERE fact_id = $1",
	INT8OID);

void
held_fact_record(Journal *journal, const HeldFact *fact, const char *alert, int64 key,
				 JsonbBuilder *payload)
{
	Jsonb	   *alerted = journal_alert(journal, key, alert, fact->reason, payload);
	Datum		values[6];
	char		nulls[6] = {' ', fact->order_id == 0 ? 'n' : ' ', fact->entity_id == 0 ? 'n' : ' ',
	' ', fact->reason == NULL ? 'n' : ' ', ' '};

	/* SQL objects of 0.5 have the alert only */
	if (!OidIsValid(internal_relation_or_none("held_facts")))
		return;
	values[0] = TimestampTzGetDatum(journal_time(journal));
	values[1] = Int64GetDatum(fact->order_id);
	values[2] = Int64GetDatum(fact->entity_id);
	values[3] = CStringGetTextDatum(fact->kind);
	values[4] = fact->reason != NULL ? CStringGetTextDatum(fact->reason) : (Datum) 0;
	values[5] = JsonbPGetDatum(fact->told != NULL ? fact->told : alerted);
	(void) plan_write(&insert_fact, values, nulls, 0);
}

bool
held_fact_resolve(int64 fact_id, const char *note, TimestampTz at)
{
	Datum		values[5] = {Int64GetDatum(fact_id), TimestampTzGetDatum(at),
		CStringGetTextDatum(note),
		CStringGetTextDatum(GetUserNameFromId(call_role(), false)),
	CStringGetTextDatum(call_operator_or_role())};

	if (plan_write(&resolve, values, NULL, 0) == 1)
		return true;
	if (plan_query(&is_there, values, NULL, 0) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OE_NOT_FOUND),
				 errmsg("fact " INT64_FORMAT " does not exist", fact_id),
				 error_facts("No held fact has that ID.",
							 FACT_ID("fact_id", fact_id)),
				 errhint("The view held_facts lists the facts that were held.")));
	return false;
}

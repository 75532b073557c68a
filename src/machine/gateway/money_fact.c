/*
 * money_fact.c
 *		Facts about money that went back outside of the engine; see money_fact.h.
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"

#include "core/alert.h"
#include "core/ids.h"
#include "core/internal.h"
#include "core/jsonb_build.h"
#include "core/locks.h"
#include "core/request.h"
#include "core/spi_util.h"
#include "machine/archive/recall.h"
#include "machine/base/held_fact.h"
#include "machine/gateway/money_fact.h"

static SavedPlan find_applied = SAVED_PLAN(
	"SELECT coalesce(f.payment_id, 0), coalesce(f.refund_id, 0), coalesce(f.amount, 0)"
	" FROM order_ext_internal.money_facts f"
	" WHERE f.number = $1 AND f.pay_type = $2 AND f.kind = $3 AND f.disposition = 'applied'",
	TEXTOID, TEXTOID, INT2OID);

/* Also answers that were held: they are about a refund of ours. */
static SavedPlan find_told = SAVED_PLAN(
	"SELECT r.refund_id FROM order_ext_internal.refunds r"
	" JOIN order_ext_internal.payments p ON p.payment_id = r.payment_id"
	" WHERE r.gateway_refund_no = $1 AND p.pay_type = $2 AND r.cause NOT IN (" CAUSES_OUTSIDE ")"
	" UNION ALL "
	"SELECT r.refund_id FROM order_ext_internal.refund_events e"
	" JOIN order_ext_internal.refunds r ON r.refund_id = e.refund_id"
	" JOIN order_ext_internal.payments p ON p.payment_id = r.payment_id"
	" WHERE e.gateway_refund_no = $1 AND p.pay_type = $2 LIMIT 1",
	TEXTOID, TEXTOID);

static SavedPlan insert_fact = SAVED_PLAN(
	"INSERT INTO order_ext_internal.money_facts"
	" (fact_id, order_id, payment_id, refund_id, amount, recorded_at, occurred_at, kind,"
	"  disposition, reason, pay_type, out_trade_no, number, raw)"
	" OVERRIDING SYSTEM VALUE"
	" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)"
	" ON CONFLICT DO NOTHING",
	INT8OID, INT8OID, INT8OID, INT8OID, INT8OID, TIMESTAMPTZOID, TIMESTAMPTZOID, INT2OID,
	TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, JSONBOID);

void
money_fact_lock(const MoneyFact *fact)
{
	const char *space = psprintf("%s %s", fact->kind == MONEY_FACT_REFUND ? "refund" : "dispute",
								 fact->pay_type);

	lock_wait(LOCK_REQUEST, request_lock_key(space, fact->number));
}

static bool
applied_under(const char *number, const char *pay_type, MoneyFactKind kind)
{
	Datum		values[3];

	/* New in 0.6: until the update, there are none. */
	if (!OidIsValid(internal_relation_or_none("money_facts")))
		return false;
	values[0] = CStringGetTextDatum(number);
	values[1] = CStringGetTextDatum(pay_type);
	values[2] = Int16GetDatum(kind);
	return plan_query(&find_applied, values, NULL, 1) > 0 ||
		(recall_by_number("number", number) &&
		 plan_query(&find_applied, values, NULL, 1) > 0);
}

bool
money_fact_applied(const MoneyFact *fact, MoneyFact *applied)
{
	if (!applied_under(fact->number, fact->pay_type, fact->kind))
		return false;
	*applied = *fact;
	applied->payment_id = row_int64(0, 1);
	applied->refund_id = row_int64(0, 2);
	applied->amount = row_int64(0, 3);
	return true;
}

bool
money_fact_is_recorded(const char *pay_type, const char *gateway_refund_no)
{
	return applied_under(gateway_refund_no, pay_type, MONEY_FACT_REFUND);
}

int64
money_fact_told(const MoneyFact *fact)
{
	Datum		values[2] = {CStringGetTextDatum(fact->number),
	CStringGetTextDatum(fact->pay_type)};

	return plan_query(&find_told, values, NULL, 1) > 0 ? row_int64(0, 1) : 0;
}

int64
money_fact_reserve(void)
{
	return id_next("money_facts_fact_id_seq");
}

/* Store the fact; false if it is already stored. */
static bool
insert(const MoneyFact *fact, int64 fact_id, TimestampTz at, const char *reason)
{
	Datum		values[14];
	char		nulls[14];

	memset(nulls, ' ', sizeof(nulls));
	values[0] = Int64GetDatum(fact_id);
	values[1] = Int64GetDatum(fact->order_id);
	values[2] = Int64GetDatum(fact->payment_id);
	nulls[2] = fact->payment_id == 0 ? 'n' : ' ';
	values[3] = Int64GetDatum(fact->refund_id);
	nulls[3] = fact->refund_id == 0 ? 'n' : ' ';
	values[4] = Int64GetDatum(fact->amount);
	nulls[4] = fact->has_amount ? ' ' : 'n';
	values[5] = TimestampTzGetDatum(at);
	values[6] = TimestampTzGetDatum(fact->occurred_at);
	nulls[6] = fact->kind == MONEY_FACT_REFUND ? ' ' : 'n';
	values[7] = Int16GetDatum(fact->kind);
	values[8] = CStringGetTextDatum(reason == NULL ? "applied" : "held");
	values[9] = reason == NULL ? (Datum) 0 : CStringGetTextDatum(reason);
	nulls[9] = reason == NULL ? 'n' : ' ';
	values[10] = CStringGetTextDatum(fact->pay_type);
	values[11] = CStringGetTextDatum(fact->out_trade_no);
	values[12] = CStringGetTextDatum(fact->number);
	values[13] = PointerGetDatum(fact->raw);
	nulls[13] = fact->raw == NULL ? 'n' : ' ';
	return plan_write(&insert_fact, values, nulls, 0) > 0;
}

void
money_fact_record(const MoneyFact *fact, int64 fact_id, TimestampTz at)
{
	(void) insert(fact, fact_id, at, NULL);
}

void
money_fact_hold(Journal *journal, const MoneyFact *fact, const char *reason, int64 user_id,
				int32 version)
{
	HeldFact	held = {
		.kind = fact->kind == MONEY_FACT_REFUND ? FACT_RECORD_REFUND : FACT_PAYMENT_DISPUTED,
		.order_id = fact->order_id, .entity_id = fact->payment_id, .reason = reason
	};
	JsonbBuilder *payload;

	if (!insert(fact, money_fact_reserve(), journal_time(journal), reason))
		return;
	payload = journal_payload(fact->order_id, user_id, version);
	jsonb_add_text(payload, "fact", code_name(CODES_MONEY_FACT, fact->kind));
	jsonb_add_text(payload, "pay_type", fact->pay_type);
	jsonb_add_text(payload, "out_trade_no", fact->out_trade_no);
	jsonb_add_text(payload, "number", fact->number);
	if (fact->has_amount)
		jsonb_add_int(payload, "amount", fact->amount);
	held_fact_record(journal, &held, ALERT_MONEY_FACT_HELD, fact->order_id, payload);
}

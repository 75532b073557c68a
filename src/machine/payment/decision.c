/*
 * decision.c
 *		What staff decides about captures, and what banks do with them; see decision.h.
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"

#include "core/errors.h"
#include "core/jsonb_build.h"
#include "core/spi_util.h"
#include "machine/payment/decision.h"

/* SQL: the captures of an order that tell of money of their own. */
#define OWN_CAPTURES \
	" FROM order_ext_internal.payments p WHERE p.order_id = $1" \
	"  AND p.status = " CODE(PAYMENT_CAPTURED) " AND p.purpose <> " CODE(PURPOSE_DUPLICATE)

static SavedPlan has_company = SAVED_PLAN(
	"SELECT" OWN_CAPTURES " AND p.payment_id <> $2 LIMIT 1",
	INT8OID, INT8OID);

static SavedPlan find_twin = SAVED_PLAN(
	"SELECT p.payment_id" OWN_CAPTURES
	"  AND p.payment_id <> $2 AND p.amount = $3 AND p.currency = $4"
	" ORDER BY p.purpose, p.payment_id LIMIT 1",
	INT8OID, INT8OID, INT8OID, TEXTOID);

static SavedPlan has_duplicates = SAVED_PLAN(
	"SELECT FROM order_ext_internal.payments WHERE order_id = $1 AND duplicate_of = $2 LIMIT 1",
	INT8OID, INT8OID);

static SavedPlan find_original = SAVED_PLAN(
	"SELECT p.duplicate_of FROM order_ext_internal.payments p"
	" WHERE p.payment_id = $1 AND p.purpose = " CODE(PURPOSE_DUPLICATE),
	INT8OID);

#define CHANGE_PAYMENT "UPDATE order_ext_internal.payments SET version = version + 1"
#define IF_UNCHANGED " WHERE payment_id = $1 AND version = $2"

static SavedPlan note = SAVED_PLAN(CHANGE_PAYMENT IF_UNCHANGED, INT8OID, INT4OID);

static SavedPlan set_duplicate = SAVED_PLAN(
	CHANGE_PAYMENT ", purpose_was = purpose, purpose = " CODE(PURPOSE_DUPLICATE)
	", duplicate_of = $3" IF_UNCHANGED,
	INT8OID, INT4OID, INT8OID);

/* What was a duplicate of this one tells of the same money as the other. */
static SavedPlan pass_on_duplicates = SAVED_PLAN(
	"UPDATE order_ext_internal.payments SET duplicate_of = $3"
	" WHERE order_id = $1 AND duplicate_of = $2",
	INT8OID, INT8OID, INT8OID);

static SavedPlan unset_duplicate = SAVED_PLAN(
	CHANGE_PAYMENT ", purpose = purpose_was, purpose_was = NULL, duplicate_of = NULL" IF_UNCHANGED,
	INT8OID, INT4OID);

static SavedPlan assign = SAVED_PLAN(
	CHANGE_PAYMENT ", told_order_id = coalesce(told_order_id, order_id), order_id = $3,"
	" currency = $4, purpose = $5" IF_UNCHANGED,
	INT8OID, INT4OID, INT8OID, TEXTOID, INT2OID);

bool
payment_has_company(int64 order_id, int64 payment_id)
{
	Datum		values[2] = {Int64GetDatum(order_id), Int64GetDatum(payment_id)};

	return plan_query(&has_company, values, NULL, 1) > 0;
}

int64
payment_twin(const Payment *payment)
{
	Datum		values[4];

	values[0] = Int64GetDatum(payment->order_id);
	values[1] = Int64GetDatum(payment->payment_id);
	values[2] = Int64GetDatum(payment->amount);
	values[3] = CStringGetTextDatum(payment->currency);
	return plan_query(&find_twin, values, NULL, 1) > 0 ? row_int64(0, 1) : 0;
}

bool
payment_has_duplicates(int64 order_id, int64 payment_id)
{
	Datum		values[2] = {Int64GetDatum(order_id), Int64GetDatum(payment_id)};

	return plan_query(&has_duplicates, values, NULL, 1) > 0;
}

int64
payment_of_money(int64 payment_id)
{
	Datum		values[1] = {Int64GetDatum(payment_id)};

	return plan_query(&find_original, values, NULL, 1) > 0 ? row_int64(0, 1) : payment_id;
}

/* Run a plan that changes the payment, and journal the event. */
static void
change(Journal *journal, Payment *payment, SavedPlan *plan, Datum *values, Event event, char actor,
	   Jsonb *detail)
{
	const Edge *edge = machine_edge(MACHINE_PAYMENT, payment->status, event);

	values[0] = Int64GetDatum(payment->payment_id);
	values[1] = Int32GetDatum(payment->version);
	if (plan_write(plan, values, NULL, 0) != 1)
		error_conflict("payment " INT64_FORMAT " was changed by another transaction",
					   payment->payment_id);
	payment->version++;
	journal_transition(journal, MACHINE_PAYMENT, edge, payment->payment_id, payment->order_id,
					   payment->version, actor, detail);
}

void
payment_note(Journal *journal, Payment *payment, Event event, char actor, Jsonb *detail)
{
	Datum		values[2];

	change(journal, payment, &note, values, event, actor, detail);
}

void
payment_set_duplicate(Journal *journal, Payment *payment, int64 duplicate_of)
{
	JsonbBuilder *detail = jsonb_object_begin();
	Datum		values[3] = {Int64GetDatum(payment->order_id), Int64GetDatum(payment->payment_id),
	Int64GetDatum(duplicate_of)};

	(void) plan_write(&pass_on_duplicates, values, NULL, 0);
	jsonb_add_id(detail, "duplicate_of", duplicate_of);
	jsonb_add_text(detail, "purpose_was", code_name(CODES_PAYMENT_PURPOSE, payment->purpose));
	change(journal, payment, &set_duplicate, values, EVENT_DUPLICATE, ACTOR_STAFF,
		   jsonb_object_end(detail));
	payment->purpose_was = payment->purpose;
	payment->purpose = PURPOSE_DUPLICATE;
}

void
payment_unset_duplicate(Journal *journal, Payment *payment)
{
	JsonbBuilder *detail = jsonb_object_begin();
	Datum		values[2];

	jsonb_add_text(detail, "purpose", code_name(CODES_PAYMENT_PURPOSE, payment->purpose_was));
	change(journal, payment, &unset_duplicate, values, EVENT_NOT_DUPLICATE, ACTOR_STAFF,
		   jsonb_object_end(detail));
	payment->purpose = payment->purpose_was;
	payment->purpose_was = 0;
}

void
payment_assign(Journal *journal, Payment *payment, const Capture *capture, PaymentPurpose purpose)
{
	JsonbBuilder *detail = jsonb_object_begin();
	Datum		values[5];

	jsonb_add_text(detail, "purpose", code_name(CODES_PAYMENT_PURPOSE, purpose));
	jsonb_add_id(detail, "from_order_id", payment->order_id);
	values[2] = Int64GetDatum(capture->order_id);
	values[3] = CStringGetTextDatum(capture->currency);
	values[4] = Int16GetDatum(purpose);
	payment->order_id = capture->order_id;
	change(journal, payment, &assign, values, EVENT_ASSIGN, ACTOR_STAFF, jsonb_object_end(detail));
	payment->purpose = purpose;
}

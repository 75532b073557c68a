/*
 * decision.c
 *		What staff and facts from outside decide about refunds; see decision.h.
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"

#include "core/errors.h"
#include "core/spi_util.h"
#include "machine/refund/decision.h"

static SavedPlan read_unclaimed = SAVED_PLAN(
	"SELECT" REFUND_COLUMNS FROM_REFUNDS
	" LEFT JOIN order_ext_internal.after_sales a ON a.after_sale_id = r.after_sale_id"
	" WHERE r.payment_id = $1 AND (r.status = " CODE(REFUND_REQUESTED)
	"  OR (r.status = " CODE(REFUND_FAILED)
	"   AND (a.status IS NULL OR a.status NOT IN (" AFTER_SALES_GIVEN_UP "))))"
	" ORDER BY r.amount = $2 DESC, r.status DESC, r.requested_at, r.refund_id",
	INT8OID, INT8OID);

static SavedPlan read_kept = SAVED_PLAN(
	"SELECT" REFUND_COLUMNS FROM_REFUNDS
	" WHERE r.payment_id = $1 AND r.status = " CODE(REFUND_WITHDRAWN) " AND r.kept"
	" ORDER BY r.requested_at, r.refund_id",
	INT8OID);

static SavedPlan is_claimed = SAVED_PLAN(
	"SELECT FROM order_ext_internal.refunds r"
	" WHERE r.payment_id = $1 AND r.status = " CODE(REFUND_SUBMITTED)
	"  AND ($2 = 0 OR r.amount = $2)",
	INT8OID, INT8OID);

static SavedPlan has_moved = SAVED_PLAN(
	"SELECT FROM order_ext_internal.refunds r WHERE r.payment_id = $1 AND (r.attempt > 0"
	"  OR r.status NOT IN (" CODES(REFUND_REQUESTED, REFUND_WITHDRAWN) ")) LIMIT 1",
	INT8OID);

static SavedPlan reduce_refund = SAVED_PLAN(
	"UPDATE order_ext_internal.refunds SET amount = amount - $3, version = version + 1,"
	"  asked = CASE WHEN asked IS NOT NULL THEN greatest(asked - $3, 0) END"
	" WHERE refund_id = $1 AND status = $2",
	INT8OID, INT2OID, INT8OID);

static SavedPlan keep_refund = SAVED_PLAN(
	"UPDATE order_ext_internal.refunds SET kept = true, reason = $2 WHERE refund_id = $1",
	INT8OID, TEXTOID);

static SavedPlan forget_kept = SAVED_PLAN(
	"UPDATE order_ext_internal.refunds SET kept = false"
	" WHERE payment_id = $1 AND after_sale_id = $2 AND after_sale_id <> 0 AND kept"
	"  AND refund_id <> $3",
	INT8OID, INT8OID, INT8OID);

static SavedPlan set_amount = SAVED_PLAN(
	"UPDATE order_ext_internal.refunds SET amount = $2, reason = coalesce($3, reason),"
	"  asked = CASE WHEN amount <> $2 OR status = " CODE(REFUND_WITHDRAWN)
	"   THEN coalesce(asked, amount) ELSE asked END"
	" WHERE refund_id = $1",
	INT8OID, INT8OID, TEXTOID);

static SavedPlan revive_refund = SAVED_PLAN(
	"UPDATE order_ext_internal.refunds SET amount = $2,"
	"  asked = CASE WHEN $3 THEN NULL ELSE asked END WHERE refund_id = $1",
	INT8OID, INT8OID, BOOLOID);

static Refund *
read_of_payment(SavedPlan *plan, int64 payment_id, int64 amount, int *n)
{
	Datum		values[2] = {Int64GetDatum(payment_id), Int64GetDatum(amount)};

	*n = (int) plan_query(plan, values, NULL, 0);
	return refund_rows(*n);
}

Refund *
refunds_read_unclaimed(int64 payment_id, int64 amount, int *n)
{
	return read_of_payment(&read_unclaimed, payment_id, amount, n);
}

Refund *
refunds_read_kept(int64 payment_id, int *n)
{
	return read_of_payment(&read_kept, payment_id, 0, n);
}

bool
refund_has_moved(int64 payment_id)
{
	Datum		values[1] = {Int64GetDatum(payment_id)};

	return plan_query(&has_moved, values, NULL, 1) > 0;
}

bool
refund_is_claimed(int64 payment_id, int64 amount)
{
	Datum		values[2] = {Int64GetDatum(payment_id), Int64GetDatum(amount)};

	return plan_query(&is_claimed, values, NULL, 1) > 0;
}

void
refund_reduce(Journal *journal, Refund *refund, int64 by)
{
	const Edge *edge = machine_edge(MACHINE_REFUND, refund->status, EVENT_REFUND_REDUCE);
	Datum		values[3];

	values[0] = Int64GetDatum(refund->refund_id);
	values[1] = Int16GetDatum(edge->from);
	values[2] = Int64GetDatum(by);
	if (plan_write(&reduce_refund, values, NULL, 0) != 1)
		error_conflict("refund " INT64_FORMAT " was changed by another transaction",
					   refund->refund_id);
	refund->amount -= by;
	refund->asked = Max(refund->asked - by, 0);
	refund->version++;
	refund_journal_move(journal, edge, refund, ACTOR_GATEWAY);
}

void
refund_keep(Journal *journal, Refund *refund, char actor, const char *reason)
{
	Datum		values[2] = {Int64GetDatum(refund->refund_id), (Datum) 0};

	refund_fire(journal, refund, EVENT_REFUND_WITHDRAW, actor, NULL);
	if (reason != NULL)
		values[1] = CStringGetTextDatum(reason);
	(void) plan_write(&keep_refund, values, reason != NULL ? "  " : " n", 0);
	refund->kept = true;
}

void
refunds_forget_kept(const Refund *refund)
{
	Datum		values[3] = {Int64GetDatum(refund->payment_id),
	Int64GetDatum(refund->after_sale_id), Int64GetDatum(refund->refund_id)};

	(void) plan_write(&forget_kept, values, NULL, 0);
}

void
refund_revive(Journal *journal, Refund *refund, int64 amount, bool anew)
{
	Datum		values[3] = {Int64GetDatum(refund->refund_id), Int64GetDatum(amount),
	BoolGetDatum(anew)};

	(void) plan_write(&revive_refund, values, NULL, 0);
	refund->amount = amount;
	refund_fire(journal, refund, EVENT_REFUND_REVIVE, ACTOR_STAFF, NULL);
}

void
refund_set_amount(Refund *refund, int64 amount, const char *reason)
{
	Datum		values[3] = {Int64GetDatum(refund->refund_id), Int64GetDatum(amount), (Datum) 0};

	if (reason != NULL)
		values[2] = CStringGetTextDatum(reason);
	(void) plan_write(&set_amount, values, reason != NULL ? "   " : "  n", 0);
	refund->amount = amount;
}

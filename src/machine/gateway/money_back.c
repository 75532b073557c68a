/*
 * money_back.c
 *		Money that went back outside of the engine; see money_back.h.
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"

#include "core/ids.h"
#include "core/jsonb_build.h"
#include "core/spi_util.h"
#include "machine/after_sale/flow.h"
#include "machine/gateway/money_back.h"
#include "machine/refund/decision.h"

static SavedPlan insert_refund = SAVED_PLAN(
	"INSERT INTO order_ext_internal.refunds"
	" (refund_id, order_id, payment_id, amount, requested_at, settled_at, version, status, cause,"
	"  currency, gateway_refund_no, raw, fact_id, pay_type)"
	" SELECT $1, $2, $3, $4, $5, $6, 1, $7, $8, $9, $10, $11, $12, p.pay_type AS its_pay_type"
	" FROM order_ext_internal.payments p WHERE p.payment_id = $3",
	INT8OID, INT8OID, INT8OID, INT8OID, TIMESTAMPTZOID, TIMESTAMPTZOID, INT2OID, INT2OID,
	TEXTOID, TEXTOID, JSONBOID, INT8OID);

static SavedPlan note_paid_outside = SAVED_PLAN(
	"UPDATE order_ext_internal.after_sales a SET paid_outside = least(paid_outside + $2, amount)"
	" WHERE after_sale_id = $1"
	" RETURNING a.amount <= a.paid_outside + (SELECT coalesce(sum(coalesce(r.asked, r.amount)), 0)"
	"   FROM order_ext_internal.refunds r"
	"   WHERE r.order_id = a.order_id AND r.after_sale_id = a.after_sale_id"
	"    AND (r.status IN (" REFUNDS_NOT_WITHDRAWN ") OR r.kept)),"
	"  EXISTS (SELECT FROM order_ext_internal.refunds r"
	"   WHERE r.order_id = a.order_id AND r.after_sale_id = a.after_sale_id"
	"    AND r.status IN (" REFUNDS_NOT_WITHDRAWN "))",
	INT8OID, INT8OID);

/* What has stood in for a refund that was paid all the same does so no more. */
static SavedPlan forget_paid_outside = SAVED_PLAN(
	"UPDATE order_ext_internal.after_sales a SET paid_outside = greatest(back.paid_outside, 0)"
	" FROM (SELECT b.amount - coalesce(sum(coalesce(r.asked, r.amount)), 0) AS paid_outside"
	"  FROM order_ext_internal.after_sales b"
	"  JOIN order_ext_internal.refunds r USING (order_id, after_sale_id)"
	"  WHERE b.after_sale_id = $1 AND (r.status IN (" REFUNDS_NOT_WITHDRAWN ") OR r.kept)"
	"  GROUP BY b.after_sale_id, b.amount) back"
	" WHERE a.after_sale_id = $1 AND a.paid_outside > greatest(back.paid_outside, 0)",
	INT8OID);

/* The refund that stands for a fact; it has succeeded. */
static int64
insert(Journal *journal, const Payment *payment, const MoneyFact *fact, int64 fact_id,
	   RefundCause cause, Event event)
{
	const Edge *edge = machine_edge(MACHINE_REFUND, STATUS_NONE, event);
	Refund		refund;
	JsonbBuilder *detail = jsonb_object_begin();
	Datum		values[12];
	char		nulls[12];

	memset(nulls, ' ', sizeof(nulls));
	values[0] = Int64GetDatum(id_next("refund_id_seq"));
	values[1] = Int64GetDatum(payment->order_id);
	values[2] = Int64GetDatum(payment->payment_id);
	values[3] = Int64GetDatum(fact->amount);
	values[4] = TimestampTzGetDatum(journal_time(journal));
	values[5] = TimestampTzGetDatum(fact->occurred_at);
	values[6] = Int16GetDatum(edge->to);
	values[7] = Int16GetDatum(cause);
	values[8] = CStringGetTextDatum(payment->currency);
	values[9] = CStringGetTextDatum(fact->number);
	values[10] = PointerGetDatum(fact->raw);
	nulls[10] = fact->raw == NULL ? 'n' : ' ';
	values[11] = Int64GetDatum(fact_id);
	(void) plan_write(&insert_refund, values, nulls, 0);

	refund_read_or_fail(DatumGetInt64(values[0]), &refund);
	jsonb_add_id(detail, "payment_id", payment->payment_id);
	jsonb_add_int(detail, "amount", fact->amount);
	jsonb_add_text(detail, cause == CAUSE_RECORDED ? "gateway_refund_no" : "dispute_no",
				   fact->number);
	refund_journal(journal, edge, &refund, ACTOR_GATEWAY, jsonb_object_end(detail));
	return refund.refund_id;
}

/* A part of the after-sale was paid outside; perhaps all of what it waited for. */
static void
count_as_paid(Journal *journal, int64 after_sale_id, int64 amount)
{
	Datum		values[2] = {Int64GetDatum(after_sale_id), Int64GetDatum(amount)};
	AfterSale	after_sale;
	bool		covered;
	bool		has_refunds;

	(void) plan_write(&note_paid_outside, values, NULL, 0);
	covered = row_bool(0, 1);
	has_refunds = row_bool(0, 2);
	if (!after_sale_read(after_sale_id, &after_sale))
		return;
	if (has_refunds || after_sale_awaits_goods(&after_sale))
	{
		after_sale_conclude(journal, &after_sale, ACTOR_GATEWAY, NULL);
		return;
	}
	if (!covered)
		return;
	if (after_sale.status == AFTER_SALE_APPROVED)
		after_sale_fire(journal, &after_sale, EVENT_AFTER_SALE_REFUND, ACTOR_GATEWAY, NULL, NULL);
	if (after_sale.status == AFTER_SALE_REFUNDING || after_sale.status == AFTER_SALE_FAILED)
		after_sale_fire(journal, &after_sale, EVENT_AFTER_SALE_SETTLE, ACTOR_GATEWAY, NULL, NULL);
}

/*
 * A refund that nobody has claimed gives way by an amount; if that is all of it, so does what it
 * stood for.
 */
static void
give_way(Journal *journal, Refund *refund, int64 amount)
{
	int64		stood_for = amount < refund->amount ? amount : refund->asked;

	if (amount < refund->amount)
		refund_reduce(journal, refund, amount);
	else
		refund_fire(journal, refund, EVENT_REFUND_WITHDRAW, ACTOR_GATEWAY, NULL);
	if (refund->after_sale_id != 0)
		count_as_paid(journal, refund->after_sale_id, stood_for);
}

int64
money_back_recorded(Journal *journal, const Payment *payment, const MoneyFact *fact, int64 fact_id)
{
	int64		rest = fact->amount;
	int			n;
	Refund	   *open = refunds_read_unclaimed(payment->payment_id, fact->amount, &n);
	int			i;

	money_left_touch_payment(payment->payment_id);
	for (i = 0; i < n && rest > 0; i++)
	{
		int64		part = Min(rest, open[i].amount);

		give_way(journal, &open[i], part);
		rest -= part;
	}
	return insert(journal, payment, fact, fact_id, CAUSE_RECORDED, EVENT_REFUND_RECORD);
}

/* The money of a refund is gone, and it was the money of an after-sale. */
static void
withdraw_lost(Journal *journal, Refund *refund, const char *why, const char *sentence)
{
	AfterSale	after_sale;

	refund_keep(journal, refund, ACTOR_GATEWAY, why);
	if (refund->after_sale_id != 0 && after_sale_read(refund->after_sale_id, &after_sale))
		after_sale_conclude(journal, &after_sale, ACTOR_SYSTEM, sentence);
}

void
money_back_withdraw_excess(Journal *journal, int64 payment_id, const char *why,
						   const char *sentence)
{
	int64		excess = -money_left_of_payment(payment_id);
	int			n;
	Refund	   *open = refunds_read_unclaimed(payment_id, 0, &n);

	while (excess > 0 && n > 0)
	{
		Refund	   *refund = &open[--n];
		int64		part = Min(excess, refund->amount);

		if (refund->cause != CAUSE_AFTER_SALE)
			give_way(journal, refund, part);
		else
		{
			part = refund->amount;
			withdraw_lost(journal, refund, why, sentence);
		}
		excess -= part;
	}
}

int64
money_back_lost(Journal *journal, const Payment *payment, const MoneyFact *fact, int64 fact_id)
{
	int64		refund_id;

	money_left_touch_payment(payment->payment_id);
	refund_id = insert(journal, payment, fact, fact_id, CAUSE_DISPUTE, EVENT_REFUND_DISPUTE);
	money_back_withdraw_excess(journal, payment->payment_id, "dispute lost",
							   "a lost dispute took its money");
	return refund_id;
}

void
money_back_paid_after_all(int64 after_sale_id)
{
	Datum		values[1] = {Int64GetDatum(after_sale_id)};

	(void) plan_write(&forget_paid_outside, values, NULL, 0);
}

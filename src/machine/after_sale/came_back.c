/*
 * came_back.c
 *		What came back of the goods of a return; see came_back.h.
 */
#include "compat.h"

#include "catalog/pg_type.h"

#include "core/alert.h"
#include "core/jsonb_build.h"
#include "core/settings.h"
#include "core/spi_util.h"
#include "machine/after_sale/came_back.h"
#include "machine/after_sale/flow.h"
#include "machine/after_sale/message.h"
#include "machine/refund/request.h"
#include "machine/stock/take_back.h"

static SavedPlan read_lines = SAVED_PLAN(
	"SELECT product_id, pay, discount, s_amount, s_discount, paid, line, lines_of_sku, of, before,"
	"  quantity, received, damaged, restocked, refunded, refused, missing, sku"
	" FROM (SELECT i.product_id, i.pay, i.discount, s.amount AS s_amount, s.discount AS s_discount,"
	"   s.paid, i.line, (count(*) OVER (PARTITION BY i.sku))::int AS lines_of_sku,"
	"   i.quantity AS of, s.before, s.quantity, s.received, s.damaged, s.restocked, s.refunded,"
	"   s.refused, s.missing, i.sku"
	"  FROM order_ext_internal.order_items i"
	"  LEFT JOIN order_ext_internal.after_sale_items s"
	"   ON s.after_sale_id = $2 AND s.line = i.line"
	"  WHERE i.order_id = $1) l"
	" WHERE quantity IS NOT NULL ORDER BY line",
	INT8OID, INT8OID);

static SavedPlan write_lines = SAVED_PLAN(
	"UPDATE order_ext_internal.after_sale_items s"
	" SET amount = g.amount, discount = g.discount, paid = g.paid, quantity = g.quantity,"
	"  received = g.received, damaged = g.damaged, restocked = g.restocked,"
	"  refunded = g.refunded, refused = g.refused, missing = g.missing"
	" FROM unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) AS g (line, amount, discount,"
	"  paid, quantity, received, damaged, restocked, refunded, refused, missing)"
	" WHERE s.after_sale_id = $1 AND s.line = g.line",
	INT8OID, INT4ARRAYOID, INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID, INT4ARRAYOID, INT4ARRAYOID,
	INT4ARRAYOID, INT4ARRAYOID, INT4ARRAYOID, INT4ARRAYOID, INT4ARRAYOID);

static SavedPlan write_amount = SAVED_PLAN(
	"UPDATE order_ext_internal.after_sales SET amount = $2, freight = $3 WHERE after_sale_id = $1",
	INT8OID, INT8OID, INT8OID);

/* ---- lines ---- */

CameBackLine *
came_back_lines(const AfterSale *after_sale, int *n)
{
	Datum		values[2] = {Int64GetDatum(after_sale->order_id),
	Int64GetDatum(after_sale->after_sale_id)};
	CameBackLine *lines;
	int			i;

	*n = (int) plan_query(&read_lines, values, NULL, 0);
	lines = palloc0(sizeof(CameBackLine) * Max(*n, 1));
	for (i = 0; i < *n; i++)
	{
		lines[i].product_id = row_int64(i, 1);
		lines[i].pay = row_int64(i, 2);
		lines[i].pay_discount = row_int64(i, 3);
		lines[i].amount = row_int64(i, 4);
		lines[i].discount = row_int64(i, 5);
		lines[i].paid = row_int64(i, 6);
		lines[i].line = row_int32(i, 7);
		lines[i].lines_of_sku = row_int32(i, 8);
		lines[i].of = row_int32(i, 9);
		lines[i].before = row_int32(i, 10);
		lines[i].quantity = row_int32(i, 11);
		lines[i].received = row_int32(i, 12);
		lines[i].damaged = row_int32(i, 13);
		lines[i].restocked = row_int32(i, 14);
		lines[i].refunded = row_int32(i, 15);
		lines[i].refused = row_int32(i, 16);
		lines[i].missing = row_int32(i, 17);
		lines[i].sku = row_text(i, 18);
	}
	return lines;
}

int32
came_back_awaited(const CameBackLine *line)
{
	return line->quantity + line->refused - line->received;
}

/*
 * Those in order are paid back at once; until 0.6 they waited together with the damaged ones of
 * their parcel.
 */
static int32
undecided(const CameBackLine *line)
{
	return line->received - line->refused - line->refunded;
}

int64
came_back_awaited_of(const CameBackLine *lines, int n)
{
	int64		sum = 0;
	int			i;

	for (i = 0; i < n; i++)
		sum += came_back_awaited(&lines[i]);
	return sum;
}

int64
came_back_undecided_of(const CameBackLine *lines, int n)
{
	int64		sum = 0;
	int			i;

	for (i = 0; i < n; i++)
		sum += undecided(&lines[i]);
	return sum;
}

static void
store(const AfterSale *after_sale, const CameBackLine *lines, int n)
{
	Datum		values[12];

	values[0] = Int64GetDatum(after_sale->after_sale_id);
	values[1] = int32_array(INT32_FIELDS(lines, line, n), n);
	values[2] = int64_array(INT64_FIELDS(lines, amount, n), n);
	values[3] = int64_array(INT64_FIELDS(lines, discount, n), n);
	values[4] = int64_array(INT64_FIELDS(lines, paid, n), n);
	values[5] = int32_array(INT32_FIELDS(lines, quantity, n), n);
	values[6] = int32_array(INT32_FIELDS(lines, received, n), n);
	values[7] = int32_array(INT32_FIELDS(lines, damaged, n), n);
	values[8] = int32_array(INT32_FIELDS(lines, restocked, n), n);
	values[9] = int32_array(INT32_FIELDS(lines, refunded, n), n);
	values[10] = int32_array(INT32_FIELDS(lines, refused, n), n);
	values[11] = int32_array(INT32_FIELDS(lines, missing, n), n);
	(void) plan_write(&write_lines, values, NULL, 0);
}

/* ---- worth ---- */

/* Of an order's line with a total: what pieces after those before are worth, up to an amount. */
static int64
share(int64 total, const CameBackLine *line, int32 pieces, int64 at_most)
{
	int64		before = (int64) ((int128) total * line->before / line->of);
	int64		up_to = (int64) ((int128) total * (line->before + pieces) / line->of);

	return Min(up_to - before, at_most);
}

/* The value of the first pieces of the line. */
static int64
worth(const CameBackLine *line, int32 pieces)
{
	return pieces >= line->quantity ? line->amount :
		share(line->pay, line, pieces, line->amount);
}

/* Pieces leave the line; those that are paid for do not. */
static void
shrink(CameBackLine *line, int32 pieces)
{
	int32		rest = line->quantity - pieces;

	if (pieces == 0)
		return;
	line->amount = rest == line->refunded ? line->paid : Max(worth(line, rest), line->paid);
	line->discount = share(line->pay_discount, line, rest, line->discount);
	line->quantity = rest;
}

/* Nothing has left the after-sale. */
static bool
is_whole(const CameBackLine *lines, int n)
{
	int			i;

	for (i = 0; i < n; i++)
	{
		if (lines[i].refused > 0 || lines[i].missing > 0)
			return false;
	}
	return true;
}

/* ---- paying ---- */

/* Pieces of the line are to be paid for. */
static void
refund_pieces(CameBackLine *line, int32 pieces)
{
	line->now_refunded = pieces;
	line->refunded += pieces;
}

/*
 * What the newly refunded pieces are worth, but no more than an amount: the last lines give way.
 * *cut_by is by how much.
 */
static int64
price(CameBackLine *lines, int n, int64 left, int64 *cut_by)
{
	int64		want = 0;
	int64		excess;
	int			i;

	for (i = 0; i < n; i++)
	{
		lines[i].now_paid = lines[i].now_refunded == 0 ? 0 :
			Max(worth(&lines[i], lines[i].refunded) - lines[i].paid, 0);
		want += lines[i].now_paid;
	}
	*cut_by = excess = Max(want - left, 0);
	for (i = n - 1; i >= 0; i--)
	{
		int64		cut = Min(excess, lines[i].now_paid);

		lines[i].now_paid -= cut;
		lines[i].amount -= cut;
		lines[i].paid += lines[i].now_paid;
		excess -= cut;
		want -= cut;
	}
	return want;
}

static void
set_amount(AfterSale *after_sale, int64 amount, int64 freight)
{
	Datum		values[3] = {Int64GetDatum(after_sale->after_sale_id), Int64GetDatum(amount),
	Int64GetDatum(freight)};

	(void) plan_write(&write_amount, values, NULL, 0);
	after_sale->amount = amount;
	after_sale->freight = freight;
}

/*
 * Pay for what is newly counted as refunded, and if that is all, the freight: as far as the money
 * is left. Stores lines and amount.
 */
static void
pay(Journal *journal, AfterSale *after_sale, CameBackLine *lines, int n, char actor,
	CameBackRefund *refund)
{
	Entitlement *entitlement = entitlement_read(after_sale->order_id, after_sale->after_sale_id);
	int64		left = entitlement->paid ? Max(entitlement->money.left, 0) : 0;
	bool		complete = came_back_awaited_of(lines, n) + came_back_undecided_of(lines, n) == 0;
	int64		freight = is_whole(lines, n) ? after_sale->freight : 0;
	int64		cut;
	int64		amount = price(lines, n, left, &cut);
	int			i;

	if (complete && freight > left - amount)
	{
		cut += freight - (left - amount);
		freight = left - amount;
	}
	refund->amount = amount + (complete ? freight : 0);
	entitlement_touch(after_sale->order_id);
	store(after_sale, lines, n);
	amount = after_sale->extra + freight;
	for (i = 0; i < n; i++)
		amount += lines[i].amount;
	if (amount != after_sale->amount || freight != after_sale->freight)
		set_amount(after_sale, amount, freight);
	if (cut > 0)
		after_sale_alert(journal, after_sale, ALERT_PAYMENT_USED_UP, NULL);
	refund->refund_id = refund->amount == 0 ? 0 :
		refund_request_for_fact(journal, after_sale->after_sale_id, refund->amount,
								refund->event_id, actor);
}

/* ---- receiving ---- */

/*
 * Pieces no longer count as sold: they are available again (LEDGER_RETURN) or written off. An
 * after-sale may have several receipts, so the ledger names the event, as a negative number.
 */
static void
take_back(Journal *journal, const AfterSale *after_sale, CameBackLine *lines, int n,
		  const int32 *pieces, LedgerKind kind, int64 event_id)
{
	int32	   *moved = palloc0(sizeof(int32) * n);
	int			i;

	take_back_lines(after_sale->order_id, -event_id, INT64_FIELDS(lines, product_id, n), pieces,
					n, kind, journal_time(journal), moved);
	for (i = 0; kind == LEDGER_RETURN && i < n; i++)
		lines[i].restocked += moved[i];
}

/* Where the return goes from here, and until when the rest may come. */
static void
move_on(Journal *journal, AfterSale *after_sale, const CameBackLine *lines, int n, bool restock)
{
	int64		waiting = came_back_undecided_of(lines, n);
	int64		awaited = came_back_awaited_of(lines, n);
	ReturnChange change = {.return_by = DT_NOBEGIN};
	JsonbBuilder *detail = jsonb_object_begin();
	int64		pieces = 0;
	int			i;

	for (i = 0; i < n; i++)
		pieces += lines[i].now;
	jsonb_add_int(detail, "pieces", pieces);
	if (waiting > 0)
		jsonb_add_int(detail, "damaged", waiting);
	if (awaited > 0)
		jsonb_add_int(detail, "awaited", awaited);
	jsonb_add_bool(detail, "restock", restock);
	if (awaited > 0 && after_sale->return_by <= journal_time(journal))
		change.return_by = journal_time(journal) + setting_return_window * USECS_PER_SEC;
	return_fire(journal, after_sale, waiting > 0 ? EVENT_RETURN_DAMAGE :
				awaited > 0 ? EVENT_RETURN_AWAIT_REST : EVENT_RETURN_PASS,
				ACTOR_WAREHOUSE, &change, jsonb_object_end(detail));
	if (change.return_by != DT_NOBEGIN)
		after_sale_arm_close(after_sale, change.return_by);
}

void
came_back_receive(Journal *journal, AfterSale *after_sale, CameBackLine *lines, int n,
				  bool restock, CameBackRefund *refund)
{
	int32	   *in_order = palloc(sizeof(int32) * n);
	int64		damaged = 0;
	int			i;

	for (i = 0; i < n; i++)
	{
		in_order[i] = lines[i].now - lines[i].now_damaged;
		lines[i].received += lines[i].now;
		lines[i].damaged += lines[i].now_damaged;
		refund_pieces(&lines[i], in_order[i]);
		damaged += lines[i].now_damaged;
	}
	return_fire(journal, after_sale, EVENT_RETURN_RECEIVE, ACTOR_WAREHOUSE, NULL, NULL);
	take_back(journal, after_sale, lines, n, in_order, restock ? LEDGER_RETURN : LEDGER_WRITE_OFF,
			  refund->event_id);
	move_on(journal, after_sale, lines, n, restock);
	pay(journal, after_sale, lines, n, ACTOR_WAREHOUSE, refund);
	if (damaged > 0)
		after_sale_alert(journal, after_sale, ALERT_DAMAGED_RETURN, NULL);
	after_sale_conclude(journal, after_sale, ACTOR_SYSTEM, NULL);
}

/* ---- staff's decision ---- */

void
came_back_resolve(Journal *journal, AfterSale *after_sale, CameBackLine *lines, int n,
				  bool pay_them, CameBackRefund *refund)
{
	int32	   *paid_for = palloc0(sizeof(int32) * n);
	JsonbBuilder *detail = jsonb_object_begin();
	int			i;

	jsonb_add_bool(detail, "refund", pay_them);
	jsonb_add_int(detail, "pieces", came_back_undecided_of(lines, n));
	for (i = 0; i < n; i++)
	{
		int32		refused = pay_them ? 0 :
		Min(undecided(&lines[i]), lines[i].damaged - lines[i].refused);

		shrink(&lines[i], refused);
		lines[i].refused += refused;
		paid_for[i] = undecided(&lines[i]);
		refund_pieces(&lines[i], paid_for[i]);
	}
	take_back(journal, after_sale, lines, n, paid_for, LEDGER_WRITE_OFF, refund->event_id);
	return_fire(journal, after_sale, came_back_awaited_of(lines, n) > 0 ?
				EVENT_RETURN_RESOLVE_PART : EVENT_RETURN_RESOLVE, ACTOR_STAFF, NULL,
				jsonb_object_end(detail));
	pay(journal, after_sale, lines, n, ACTOR_STAFF, refund);
	after_sale_conclude(journal, after_sale, ACTOR_STAFF,
						"The goods came back damaged.");
}

/* ---- the end of the window ---- */

void
came_back_lapse(Journal *journal, AfterSale *after_sale)
{
	CameBackRefund refund = {0};
	JsonbBuilder *detail = jsonb_object_begin();
	int			n;
	CameBackLine *lines = came_back_lines(after_sale, &n);
	int			i;

	jsonb_add_int(detail, "missing", came_back_awaited_of(lines, n));
	for (i = 0; i < n; i++)
	{
		int32		missing = came_back_awaited(&lines[i]);

		shrink(&lines[i], missing);
		lines[i].missing += missing;
	}
	return_fire(journal, after_sale, EVENT_RETURN_LAPSE, ACTOR_SYSTEM, NULL,
				jsonb_object_end(detail));
	pay(journal, after_sale, lines, n, ACTOR_SYSTEM, &refund);
	after_sale_conclude(journal, after_sale, ACTOR_SYSTEM,
						"The goods did not come back in order.");
}

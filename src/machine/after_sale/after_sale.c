/*
 * after_sale.c
 *		The after-sale machine; see after_sale.h.
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"

#include "core/error_facts.h"
#include "core/errors.h"
#include "core/ids.h"
#include "core/jsonb_build.h"
#include "core/row.h"
#include "core/spi_util.h"
#include "machine/after_sale/after_sale.h"
#include "machine/after_sale/describe.h"
#include "machine/archive/recall.h"
#include "machine/order/coupon.h"

static SavedPlan read_after_sale = SAVED_PLAN(
	"SELECT a.after_sale_id, a.order_id, a.user_id, a.amount, a.freight, a.applied_at,"
	"       a.version, a.return_version, o.version, a.status, a.type, a.detail_type,"
	"       a.source, a.reason_code, coalesce(a.return_status, " CODE(NO_RETURN) ")::smallint,"
	"       a.origin, a.reason, a.extra, a.paid_outside, a.return_by"
	" FROM order_ext_internal.after_sales a"
	" JOIN order_ext_internal.orders o ON o.order_id = a.order_id"
	" WHERE a.after_sale_id = $1",
	INT8OID);

static SavedPlan find_origin = SAVED_PLAN(
	"SELECT after_sale_id FROM order_ext_internal.after_sales"
	" WHERE order_id = $1 AND origin = $2",
	INT8OID, TEXTOID);

/* Columns of after_sales_table, by the order and the origin. */
enum
{
	AFTER_SALES_ID,
	AFTER_SALES_ORDER_ID,
	AFTER_SALES_USER_ID,
	AFTER_SALES_AMOUNT,
	AFTER_SALES_FREIGHT,
	AFTER_SALES_EXTRA,
	AFTER_SALES_PAID_OUTSIDE,
	AFTER_SALES_APPLIED_AT,
	AFTER_SALES_VERSION,
	AFTER_SALES_RETURN_VERSION,
	AFTER_SALES_STATUS,
	AFTER_SALES_TYPE,
	AFTER_SALES_DETAIL_TYPE,
	AFTER_SALES_SOURCE,
	AFTER_SALES_REASON_CODE,
	AFTER_SALES_RETURN_STATUS,
	AFTER_SALES_ORIGIN,
	AFTER_SALES_REASON
};

static RowTable after_sales_table = ROW_TABLE(
	"after_sales", "after_sales_order_id_origin_key",
	"after_sale_id", "order_id", "user_id", "amount", "freight", "extra", "paid_outside",
	"applied_at", "version", "return_version", "status", "type", "detail_type", "source",
	"reason_code", "return_status", "origin", "reason");

/* Columns of items_table. */
enum
{
	ITEMS_AFTER_SALE_ID,
	ITEMS_ORDER_ID,
	ITEMS_PRODUCT_ID,
	ITEMS_AMOUNT,
	ITEMS_DISCOUNT,
	ITEMS_QUANTITY,
	ITEMS_RECEIVED,
	ITEMS_DAMAGED,
	ITEMS_RESTOCKED,
	ITEMS_LINE,
	ITEMS_BEFORE,
	ITEMS_REFUNDED,
	ITEMS_REFUSED,
	ITEMS_MISSING,
	ITEMS_PAID
};

static RowTable items_table = ROW_TABLE(
	"after_sale_items", "after_sale_items_pkey",
	"after_sale_id", "order_id", "product_id", "amount", "discount", "quantity", "received",
	"damaged", "restocked", "line", "before", "refunded", "refused", "missing", "paid");

/* A review sets reviewed_at; settled_at is set when the after-sale ends. */
static SavedPlan move_after_sales = SAVED_PLAN(
	"WITH moved AS ("
	"  UPDATE order_ext_internal.after_sales"
	"  SET status = $3, version = version + 1,"
	"   reviewed_at = CASE WHEN $2 = " CODE(AFTER_SALE_APPLIED)
	"    AND $3 IN (" CODES(AFTER_SALE_APPROVED, AFTER_SALE_REJECTED) ")"
	"    THEN $4 ELSE reviewed_at END,"
	"   settled_at = CASE WHEN $3 IN (" CODES(AFTER_SALE_REJECTED, AFTER_SALE_REFUNDED,
	AFTER_SALE_CLOSED, AFTER_SALE_REVOKED) ") THEN $4 END,"
	"   review_reason = coalesce($5, review_reason)"
	"  WHERE after_sale_id = ANY ($1) AND status = $2"
	"  RETURNING after_sale_id, order_id, user_id, amount, version)"
	" SELECT m.after_sale_id, m.order_id, m.user_id, m.amount, m.version, o.version"
	" FROM moved m JOIN order_ext_internal.orders o ON o.order_id = m.order_id"
	" ORDER BY m.after_sale_id",
	INT8ARRAYOID, INT2OID, INT2OID, TIMESTAMPTZOID, TEXTOID);

static SavedPlan reprice = SAVED_PLAN(
	"WITH repriced AS ("
	"  UPDATE order_ext_internal.after_sale_items s SET amount = g.amount, discount = g.discount,"
	"   before = g.before, paid = CASE WHEN s.refunded = s.quantity THEN g.amount"
	"    ELSE least(s.paid, g.amount) END"
	"  FROM unnest($4, $5, $6, $8) AS g (line, amount, discount, before)"
	"  WHERE s.after_sale_id = $1 AND s.line = g.line)"
	" UPDATE order_ext_internal.after_sales SET amount = $2, freight = $3, extra = $7"
	" WHERE after_sale_id = $1",
	INT8OID, INT8OID, INT8OID, INT4ARRAYOID, INT8ARRAYOID, INT8ARRAYOID, INT8OID, INT4ARRAYOID);

/* ---- reading ---- */

bool
after_sale_read(int64 after_sale_id, AfterSale *after_sale)
{
	Datum		values[1] = {Int64GetDatum(after_sale_id)};

	if (plan_query(&read_after_sale, values, NULL, 1) == 0 &&
		!(recall_by_id("after_sale", after_sale_id) &&
		  plan_query(&read_after_sale, values, NULL, 1) > 0))
		return false;
	after_sale->after_sale_id = row_int64(0, 1);
	after_sale->order_id = row_int64(0, 2);
	after_sale->user_id = row_int64(0, 3);
	after_sale->amount = row_int64(0, 4);
	after_sale->freight = row_int64(0, 5);
	after_sale->applied_at = row_timestamptz(0, 6);
	after_sale->version = row_int32(0, 7);
	after_sale->return_version = row_int32(0, 8);
	after_sale->order_version = row_int32(0, 9);
	after_sale->status = row_int16(0, 10);
	after_sale->type = row_int16(0, 11);
	after_sale->detail_type = row_int16(0, 12);
	after_sale->source = row_int16(0, 13);
	after_sale->reason_code = row_int16(0, 14);
	after_sale->return_status = row_int16(0, 15);
	after_sale->origin = row_text(0, 16);
	after_sale->reason = row_text(0, 17);
	after_sale->extra = row_int64(0, 18);
	after_sale->paid_outside = row_int64(0, 19);
	after_sale->return_by = row_is_null(0, 20) ? DT_NOBEGIN : row_timestamptz(0, 20);
	return true;
}

void
after_sale_read_or_fail(int64 after_sale_id, AfterSale *after_sale)
{
	if (!after_sale_read(after_sale_id, after_sale))
		ereport(ERROR,
				(errcode(ERRCODE_OE_NOT_FOUND),
				 errmsg("after-sale " INT64_FORMAT " does not exist", after_sale_id),
				 error_facts("No after-sale has that ID.", FACT_ID("after_sale_id", after_sale_id)),
				 errhint("get_order shows the after-sales of an order.")));
}

int64
after_sale_of_origin(int64 order_id, const char *origin)
{
	Datum		values[2] = {Int64GetDatum(order_id), CStringGetTextDatum(origin)};

	return plan_query(&find_origin, values, NULL, 1) > 0 ? row_int64(0, 1) : 0;
}

/* ---- what a transition leaves behind ---- */

static void
journal_after_sale(Journal *journal, const Edge *edge, const AfterSale *after_sale,
				   char actor, Jsonb *detail)
{
	Jsonb	   *payload = NULL;
	int			i;

	journal_transition(journal, MACHINE_AFTER_SALE, edge, after_sale->after_sale_id,
					   after_sale->order_id, after_sale->version, actor, detail);
	for (i = 0; i < MAX_EDGE_MESSAGES && edge->messages[i] != 0; i++)
	{
		if (payload == NULL)
		{
			JsonbBuilder *builder = journal_payload(after_sale->order_id, after_sale->user_id,
													after_sale->order_version);

			jsonb_add_id(builder, "after_sale_id", after_sale->after_sale_id);
			jsonb_add_text(builder, "status", machine_status_name(MACHINE_AFTER_SALE, edge->to));
			jsonb_add_int(builder, "amount", after_sale->amount);
			after_sale_describe(builder, after_sale->after_sale_id, after_sale->order_id);
			payload = jsonb_object_end(builder);
		}
		journal_message(journal, edge->messages[i], after_sale->order_id, payload);
	}
}

AfterSale *
after_sales_returned(int n)
{
	AfterSale  *after_sales = palloc0(sizeof(AfterSale) * Max(n, 1));
	int			i;

	for (i = 0; i < n; i++)
	{
		after_sales[i].after_sale_id = row_int64(i, 1);
		after_sales[i].order_id = row_int64(i, 2);
		after_sales[i].user_id = row_int64(i, 3);
		after_sales[i].amount = row_int64(i, 4);
		after_sales[i].version = row_int32(i, 5);
		after_sales[i].order_version = row_int32(i, 6);
	}
	return after_sales;
}

void
after_sales_journal(Journal *journal, const Edge *edge, const AfterSale *after_sales, int n,
					char actor, Jsonb *detail)
{
	int			i;

	for (i = 0; i < n; i++)
		journal_after_sale(journal, edge, &after_sales[i], actor, detail);
}

/* ---- creation ---- */

static void
insert_lines(const AfterSale *after_sale, const AfterSaleItem *items, int n)
{
	Rows	   *rows = rows_open(&items_table, ROWS_CHANGE);
	Row			row;
	int			i;

	memset(row.nulls, true, sizeof(row.nulls));
	row_set(&row, ITEMS_AFTER_SALE_ID, Int64GetDatum(after_sale->after_sale_id));
	row_set(&row, ITEMS_ORDER_ID, Int64GetDatum(after_sale->order_id));
	row_set(&row, ITEMS_RECEIVED, Int32GetDatum(0));
	row_set(&row, ITEMS_DAMAGED, Int32GetDatum(0));
	row_set(&row, ITEMS_RESTOCKED, Int32GetDatum(0));
	row_set(&row, ITEMS_REFUNDED, Int32GetDatum(0));
	row_set(&row, ITEMS_REFUSED, Int32GetDatum(0));
	row_set(&row, ITEMS_MISSING, Int32GetDatum(0));
	row_set(&row, ITEMS_PAID, Int64GetDatum(0));
	for (i = 0; i < n; i++)
	{
		row_set(&row, ITEMS_PRODUCT_ID, Int64GetDatum(items[i].product_id));
		row_set(&row, ITEMS_AMOUNT, Int64GetDatum(items[i].amount));
		row_set(&row, ITEMS_DISCOUNT, Int64GetDatum(items[i].discount));
		row_set(&row, ITEMS_QUANTITY, Int32GetDatum(items[i].quantity));
		row_set(&row, ITEMS_LINE, Int32GetDatum(items[i].line));
		row_set(&row, ITEMS_BEFORE, Int32GetDatum(items[i].before));
		rows_insert(rows, row.values, row.nulls);
	}
	rows_close(rows);
}

bool
after_sale_exists(int64 order_id)
{
	Rows	   *rows = rows_open(&after_sales_table, ROWS_READ);
	Datum		key = Int64GetDatum(order_id);
	bool		exists = rows_is_taken(rows, &key, 1);

	rows_close(rows);
	return exists;
}

/* False if the order has one of this origin. */
static bool
insert_after_sale(const AfterSale *after_sale)
{
	Rows	   *rows = rows_open(&after_sales_table, ROWS_CHANGE);
	Row			row;
	Datum		keys[2];
	bool		is_new;

	memset(row.nulls, true, sizeof(row.nulls));
	row_set(&row, AFTER_SALES_ID, Int64GetDatum(after_sale->after_sale_id));
	row_set(&row, AFTER_SALES_ORDER_ID, Int64GetDatum(after_sale->order_id));
	row_set(&row, AFTER_SALES_USER_ID, Int64GetDatum(after_sale->user_id));
	row_set(&row, AFTER_SALES_AMOUNT, Int64GetDatum(after_sale->amount));
	row_set(&row, AFTER_SALES_FREIGHT, Int64GetDatum(after_sale->freight));
	row_set(&row, AFTER_SALES_EXTRA, Int64GetDatum(after_sale->extra));
	row_set(&row, AFTER_SALES_PAID_OUTSIDE, Int64GetDatum(0));
	row_set(&row, AFTER_SALES_APPLIED_AT, TimestampTzGetDatum(after_sale->applied_at));
	row_set(&row, AFTER_SALES_VERSION, Int32GetDatum(after_sale->version));
	row_set(&row, AFTER_SALES_RETURN_VERSION, Int32GetDatum(0));
	row_set(&row, AFTER_SALES_STATUS, Int16GetDatum(after_sale->status));
	row_set(&row, AFTER_SALES_TYPE, Int16GetDatum(after_sale->type));
	row_set(&row, AFTER_SALES_DETAIL_TYPE, Int16GetDatum(after_sale->detail_type));
	row_set(&row, AFTER_SALES_SOURCE, Int16GetDatum(after_sale->source));
	row_set(&row, AFTER_SALES_REASON_CODE, Int16GetDatum(after_sale->reason_code));
	if (after_sale->return_status != NO_RETURN)
		row_set(&row, AFTER_SALES_RETURN_STATUS, Int16GetDatum(after_sale->return_status));
	if (after_sale->origin != NULL)
		row_set(&row, AFTER_SALES_ORIGIN, CStringGetTextDatum(after_sale->origin));
	if (after_sale->reason != NULL)
		row_set(&row, AFTER_SALES_REASON, CStringGetTextDatum(after_sale->reason));
	keys[0] = row.values[AFTER_SALES_ORDER_ID];
	keys[1] = row.values[AFTER_SALES_ORIGIN];
	is_new = after_sale->origin == NULL || !rows_is_taken(rows, keys, lengthof(keys));
	if (is_new)
		rows_insert(rows, row.values, row.nulls);
	rows_close(rows);
	return is_new;
}

bool
after_sale_create(Journal *journal, AfterSale *after_sale, const AfterSaleItem *items, int n_items,
				  Event event, char actor, Jsonb *detail)
{
	const Edge *edge = machine_edge(MACHINE_AFTER_SALE, STATUS_NONE, event);

	after_sale->after_sale_id = id_next("after_sale_id_seq");
	after_sale->applied_at = journal_time(journal);
	after_sale->status = edge->to;
	after_sale->version = 1;

	if (!insert_after_sale(after_sale))
		return false;
	insert_lines(after_sale, items, n_items);
	journal_after_sale(journal, edge, after_sale, actor, detail);
	return true;
}

void
after_sale_reprice(AfterSale *after_sale, int64 amount, int64 freight,
				   const AfterSaleItem *items, int n_items)
{
	Datum		values[8];

	values[0] = Int64GetDatum(after_sale->after_sale_id);
	values[1] = Int64GetDatum(amount);
	values[2] = Int64GetDatum(freight);
	values[3] = int32_array(INT32_FIELDS(items, line, n_items), n_items);
	values[4] = int64_array(INT64_FIELDS(items, amount, n_items), n_items);
	values[5] = int64_array(INT64_FIELDS(items, discount, n_items), n_items);
	values[6] = Int64GetDatum(after_sale->extra);
	values[7] = int32_array(INT32_FIELDS(items, before, n_items), n_items);
	(void) plan_write(&reprice, values, NULL, 0);
	after_sale->amount = amount;
	after_sale->freight = freight;
}

/* ---- moving ---- */

void
after_sales_move(Journal *journal, const Edge *edge, const int64 *ids, int n, char actor,
				 const char *review_reason, Jsonb *detail)
{
	Datum		values[5];
	char		nulls[5] = {' ', ' ', ' ', ' ', review_reason ? ' ' : 'n'};
	AfterSale  *moved;

	values[0] = int64_array(ids, n);
	values[1] = Int16GetDatum(edge->from);
	values[2] = Int16GetDatum(edge->to);
	values[3] = TimestampTzGetDatum(journal_time(journal));
	values[4] = review_reason ? CStringGetTextDatum(review_reason) : (Datum) 0;
	if (plan_write(&move_after_sales, values, nulls, 0) != (uint64) n)
		error_conflict("an after-sale was changed by another transaction");
	moved = after_sales_returned(n);
	after_sales_journal(journal, edge, moved, n, actor, detail);
	if (edge->to == AFTER_SALE_REFUNDED)
	{
		int64	   *orders = palloc(sizeof(int64) * n);
		int			i;

		for (i = 0; i < n; i++)
			orders[i] = moved[i].order_id;
		coupons_return(journal, orders, n);
	}
}

void
after_sale_fire(Journal *journal, AfterSale *after_sale, Event event, char actor,
				const char *review_reason, Jsonb *detail)
{
	const Edge *edge = machine_edge(MACHINE_AFTER_SALE, after_sale->status, event);

	after_sales_move(journal, edge, &after_sale->after_sale_id, 1, actor, review_reason, detail);
	after_sale->status = edge->to;
	after_sale->version++;
}

/*
 * entitlement.c
 *		What is left of an order to return, and for how much; see entitlement.h.
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "lib/stringinfo.h"

#include "core/error_facts.h"
#include "core/errors.h"
#include "core/jsonb_build.h"
#include "core/spi_util.h"
#include "machine/after_sale/entitlement.h"

/*
 * A refund that succeeded after its after-sale was given up has paid for its pieces, although
 * they do not count as returned.
 */
#define PAID_ALL_THE_SAME \
	"EXISTS (SELECT FROM order_ext_internal.refunds r" \
	" WHERE r.order_id = a.order_id AND r.after_sale_id = a.after_sale_id" \
	"  AND r.status = " CODE(REFUND_SUCCEEDED) ")"

static SavedPlan read_lines = SAVED_PLAN(
	"WITH counted AS ("
	"  SELECT a.after_sale_id, a.live"
	"  FROM (SELECT a.after_sale_id, a.order_id, a.after_sale_id <> $2"
	"   AND a.status NOT IN (" AFTER_SALES_GIVEN_UP ") AS live"
	"   FROM order_ext_internal.after_sales a WHERE a.order_id = $1) a"
	"  WHERE a.live OR " PAID_ALL_THE_SAME ")"
	" SELECT i.product_id, i.pay, i.discount, coalesce(g.amount, 0)::bigint,"
	"  coalesce(g.discount, 0)::bigint, i.quantity, coalesce(g.quantity, 0)::int, i.kind, i.sku,"
	"  i.line, (count(*) OVER (PARTITION BY i.sku))::int"
	" FROM order_ext_internal.order_items i"
	" LEFT JOIN (SELECT s.line, sum(s.amount) AS amount, sum(s.discount) AS discount,"
	"   sum(s.quantity) FILTER (WHERE c.live) AS quantity"
	"  FROM order_ext_internal.after_sale_items s"
	"   JOIN counted c ON c.after_sale_id = s.after_sale_id"
	"  WHERE s.order_id = $1 GROUP BY s.line) g ON g.line = i.line"
	" WHERE i.order_id = $1 ORDER BY i.line",
	INT8OID, INT8OID);

static SavedPlan read_freight = SAVED_PLAN(
	"SELECT o.freight_amount, (SELECT coalesce(sum(a.freight), 0)::bigint"
	"  FROM order_ext_internal.after_sales a WHERE a.order_id = $1"
	"   AND ((a.after_sale_id <> $2 AND a.status NOT IN (" AFTER_SALES_GIVEN_UP "))"
	"    OR " PAID_ALL_THE_SAME "))"
	" FROM order_ext_internal.orders o WHERE o.order_id = $1",
	INT8OID, INT8OID);

static SavedPlan touch_payment = SAVED_PLAN(
	"UPDATE order_ext_internal.payments SET version = version"
	" WHERE order_id = $1 AND status = " CODE(PAYMENT_CAPTURED)
	"  AND purpose = " CODE(PURPOSE_APPLIED),
	INT8OID);

Entitlement *
entitlement_read(int64 order_id, int64 without)
{
	Entitlement *entitlement = palloc0(sizeof(Entitlement));
	Datum		values[2] = {Int64GetDatum(order_id), Int64GetDatum(without)};
	int			i;

	entitlement->order_id = order_id;
	entitlement->n = (int) plan_query(&read_lines, values, NULL, 0);
	entitlement->lines = palloc(sizeof(EntitledLine) * Max(entitlement->n, 1));
	for (i = 0; i < entitlement->n; i++)
	{
		EntitledLine *line = &entitlement->lines[i];

		line->product_id = row_int64(i, 1);
		line->pay = row_int64(i, 2);
		line->discount = row_int64(i, 3);
		line->given = row_int64(i, 4);
		line->discount_given = row_int64(i, 5);
		line->quantity = row_int32(i, 6);
		line->done = row_int32(i, 7);
		line->kind = row_int16(i, 8);
		line->sku = row_text(i, 9);
		line->line = row_int32(i, 10);
		line->lines_of_sku = row_int32(i, 11);
	}
	if (plan_query(&read_freight, values, NULL, 1) > 0)
	{
		entitlement->freight = row_int64(0, 1);
		entitlement->freight_given = row_int64(0, 2);
	}
	entitlement->paid = money_left_of_order(order_id, without, &entitlement->money);
	entitlement->left = entitlement->paid ? entitlement->money.unclaimed : PG_INT64_MAX;
	return entitlement;
}

const EntitledLine *
entitlement_by_sku(const Entitlement *entitlement, const char *sku)
{
	int			i;

	for (i = 0; i < entitlement->n; i++)
	{
		if (strcmp(entitlement->lines[i].sku, sku) == 0)
			return &entitlement->lines[i];
	}
	return NULL;
}

const EntitledLine *
entitlement_of(const Entitlement *entitlement, int32 line)
{
	int			i;

	for (i = 0; i < entitlement->n; i++)
	{
		if (entitlement->lines[i].line == line)
			return &entitlement->lines[i];
	}
	return NULL;
}

/* ---- pricing ---- */

/*
 * The value of the next pieces. It is zero rather than negative if an after-sale that was given
 * up later has left the others with more than their share.
 */
static int64
due(int64 total, int64 given, const EntitledLine *line, int32 quantity)
{
	int64		pieces = (int64) line->done + quantity;
	int64		up_to = (int64) ((int128) total * pieces / line->quantity);

	return Max(up_to - given, 0);
}

bool
entitlement_has(const Entitlement *entitlement, const GoodsBack *goods)
{
	int			i;

	for (i = 0; i < goods->n; i++)
	{
		const EntitledLine *line = entitlement_of(entitlement, goods->items[i].line);

		if (goods->items[i].quantity > line->quantity - line->done)
			return false;
	}
	return true;
}

static bool
has_left(const Entitlement *entitlement)
{
	int			i;

	for (i = 0; i < entitlement->n; i++)
	{
		if (entitlement->lines[i].done < entitlement->lines[i].quantity)
			return true;
	}
	return false;
}

static void
check_quantities(const Entitlement *entitlement, const GoodsBack *goods)
{
	ErrorFactList exceeded = {0};
	int			i;

	for (i = 0; i < goods->n; i++)
	{
		const EntitledLine *line = entitlement_of(entitlement, goods->items[i].line);

		if (goods->items[i].quantity > line->quantity - line->done)
			error_facts_add(&exceeded, "; ",
							line->lines_of_sku > 1
							? "\"{sku}\" of line {line}: {wanted} requested, {left} of {quantity} "
							"left"
							: "\"{sku}\": {wanted} requested, {left} of {quantity} left",
							FACT_INT("line", line->line), FACT_TEXT("sku", line->sku),
							FACT_INT("wanted", goods->items[i].quantity),
							FACT_INT("left", line->quantity - line->done),
							FACT_INT("quantity", line->quantity));
	}
	if (exceeded.words.data != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OE_QUANTITY_EXCEEDS),
				 errmsg("request exceeds what is left of order " INT64_FORMAT,
						entitlement->order_id),
				 error_facts("{exceeded}.",
							 FACT_ID("order_id", entitlement->order_id),
							 FACT_LIST("exceeded", &exceeded)),
				 has_left(entitlement)
				 ? errhint("calculate_refund shows what is left; the items of rejected, revoked "
						   "and closed after-sales are available again.")
				 : errhint("after_sales_view shows where its pieces went; those of rejected, "
						   "revoked and closed after-sales are available again.")));
}

/* The number of pieces of a line among the goods. */
static int32
taken(const GoodsBack *goods, int32 line)
{
	int			i;

	for (i = 0; i < goods->n; i++)
	{
		if (goods->items[i].line == line)
			return goods->items[i].quantity;
	}
	return 0;
}

void
entitlement_cut(const Entitlement *entitlement, GoodsBack *goods, int64 amount)
{
	int64		excess = Max(goods->amount - amount, 0);
	int64		cut = Min(excess, goods->freight);
	int			i;
	int			j;

	goods->amount -= excess;
	goods->freight -= cut;
	excess -= cut;
	for (i = entitlement->n - 1; i >= 0 && excess > 0; i--)
	{
		for (j = 0; j < goods->n; j++)
		{
			AfterSaleItem *item = &goods->items[j];

			if (item->line != entitlement->lines[i].line)
				continue;
			cut = Min(excess, item->amount);
			item->amount -= cut;
			excess -= cut;
		}
	}
}

void
entitlement_value(const Entitlement *entitlement, GoodsBack *goods)
{
	int			i;

	check_quantities(entitlement, goods);
	goods->amount = 0;
	for (i = 0; i < goods->n; i++)
	{
		AfterSaleItem *item = &goods->items[i];
		const EntitledLine *line = entitlement_of(entitlement, item->line);

		item->amount = due(line->pay, line->given, line, item->quantity);
		item->discount = due(line->discount, line->discount_given, line, item->quantity);
		item->before = line->done;
		goods->amount += item->amount;
	}
	goods->freight = 0;
}

void
entitlement_price(const Entitlement *entitlement, GoodsBack *goods)
{
	bool		last = true;
	int			i;

	entitlement_value(entitlement, goods);
	goods->whole = true;
	for (i = 0; i < entitlement->n; i++)
	{
		const EntitledLine *line = &entitlement->lines[i];
		int32		pieces = taken(goods, line->line);

		if (pieces < line->quantity)
			goods->whole = false;
		if (line->done + pieces < line->quantity)
			last = false;
	}
	goods->freight = last ? Max(entitlement->freight - entitlement->freight_given, 0) : 0;
	goods->amount += goods->freight;
	entitlement_cut(entitlement, goods, entitlement->left);
}

static int
compare_items(const void *a, const void *b)
{
	return ((const AfterSaleItem *) a)->line - ((const AfterSaleItem *) b)->line;
}

void
entitlement_sort(GoodsBack *goods)
{
	qsort(goods->items, goods->n, sizeof(AfterSaleItem), compare_items);
}

GoodsBack *
entitlement_rest(const Entitlement *entitlement)
{
	GoodsBack  *goods = palloc0(sizeof(GoodsBack));
	int			i;

	goods->items = palloc0(sizeof(AfterSaleItem) * Max(entitlement->n, 1));
	for (i = 0; i < entitlement->n; i++)
	{
		const EntitledLine *line = &entitlement->lines[i];

		if (line->kind == KIND_VIRTUAL || line->done >= line->quantity)
			continue;
		goods->items[goods->n].product_id = line->product_id;
		goods->items[goods->n].line = line->line;
		goods->items[goods->n++].quantity = line->quantity - line->done;
	}
	entitlement_price(entitlement, goods);
	return goods;
}

Jsonb *
entitlement_lines(const Entitlement *entitlement, const GoodsBack *goods)
{
	JsonbBuilder *lines = jsonb_array_begin();
	int			i;
	int			j;

	for (i = 0; i < entitlement->n; i++)
	{
		for (j = 0; j < goods->n; j++)
		{
			JsonbBuilder *line;

			if (goods->items[j].line != entitlement->lines[i].line)
				continue;
			line = jsonb_object_begin();
			jsonb_add_int(line, "line", entitlement->lines[i].line);
			jsonb_add_text(line, "sku", entitlement->lines[i].sku);
			jsonb_add_int(line, "quantity", goods->items[j].quantity);
			jsonb_add_int(line, "amount", goods->items[j].amount);
			jsonb_array_add(lines, line);
		}
	}
	return jsonb_array_end(lines);
}

/* ---- the order's money ---- */

void
entitlement_touch(int64 order_id)
{
	Datum		values[1] = {Int64GetDatum(order_id)};

	(void) plan_write(&touch_payment, values, NULL, 0);
}

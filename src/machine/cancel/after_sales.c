/*
 * after_sales.c
 *		The after-sales of canceled orders; see after_sales.h.
 */
#include "compat.h"

#include "catalog/pg_type.h"

#include "core/jsonb_build.h"
#include "core/spi_util.h"
#include "machine/after_sale/after_sale.h"
#include "machine/cancel/after_sales.h"
#include "machine/refund/refund.h"

/* The after-sale of a cancellation: its columns and where they come from. */
#define OPEN_FOR_CANCEL \
	"WITH opened AS (" \
	"  INSERT INTO order_ext_internal.after_sales" \
	"   (after_sale_id, order_id, user_id, amount, freight, extra, applied_at, version, status," \
	"    type, detail_type, source, reason_code, origin, reason)" \
	"  SELECT pg_catalog.nextval('order_ext_internal.after_sale_id_seq'), o.order_id, o.user_id,"
#define CANCEL_CODES \
	CODE(AFTER_SALE_REFUND_ONLY) "," \
	"   CASE o.cancel_type WHEN " CODE(CANCEL_BY_USER) " THEN " CODE(DETAIL_USER_CANCEL) \
	" WHEN " CODE(CANCEL_BY_TIMEOUT) " THEN " CODE(DETAIL_TIMEOUT) \
	" ELSE " CODE(DETAIL_STAFF_CANCEL) " END," \
	"   CASE o.cancel_type WHEN " CODE(CANCEL_BY_CUSTOMER_SERVICE) \
	" THEN " CODE(SOURCE_CUSTOMER_SERVICE) " ELSE " CODE(SOURCE_SYSTEM) " END," \
	" " CODE(REASON_CANCEL) ", '" AFTER_SALE_ORIGIN_CANCEL "'," \
	"   (SELECT l.detail->>'reason' FROM order_ext_internal.transition_log l" \
	"    WHERE l.machine = " CODE(MACHINE_ORDER) " AND l.entity_id = o.order_id" \
	"     AND l.version = o.version AND l.to_status = " CODE(ORDER_CANCELED) ")"
#define OPENED \
	"  ON CONFLICT (order_id, origin) DO NOTHING" \
	"  RETURNING after_sale_id, order_id, user_id, amount, version)" \
	" SELECT n.after_sale_id, n.order_id, n.user_id, n.amount, n.version, o.version" \
	" FROM opened n JOIN order_ext_internal.orders o ON o.order_id = n.order_id" \
	" ORDER BY n.after_sale_id"

/*
 * SQL: what after-sales other than this one give back of order o (as after_sale/entitlement.c has
 * it), and which pieces: of line i, or of the freight.
 */
#define COUNTS(a, besides) \
	a ".after_sale_id <> " besides " AND (" a ".status NOT IN (" AFTER_SALES_GIVEN_UP ")" \
	" OR EXISTS (SELECT FROM order_ext_internal.refunds r" \
	"  WHERE r.order_id = " a ".order_id AND r.after_sale_id = " a ".after_sale_id" \
	"   AND r.status = " CODE(REFUND_SUCCEEDED) "))"
#define GIVEN_OF_LINE(besides) \
	" CROSS JOIN LATERAL (SELECT coalesce(sum(s.amount), 0)::bigint AS amount," \
	"   coalesce(sum(s.discount), 0)::bigint AS discount, coalesce(sum(s.quantity)" \
	"    FILTER (WHERE a.status NOT IN (" AFTER_SALES_GIVEN_UP ")), 0)::integer AS quantity" \
	"  FROM order_ext_internal.after_sale_items s" \
	"  JOIN order_ext_internal.after_sales a ON a.after_sale_id = s.after_sale_id" \
	"  WHERE s.order_id = i.order_id AND s.line = i.line" \
	"   AND " COUNTS("a", besides) ") AS given"

/*
 * A paid order has one applied capture; what is left of it is paid back: for the lines, from the
 * first on, for the freight, and what is more than these.
 */
static SavedPlan open_for_canceled = SAVED_PLAN(
	OPEN_FOR_CANCEL
	"   rest.amount, least(rest.amount - goods.amount, freight.amount),"
	"   greatest(rest.amount - goods.amount - freight.amount, 0), $2, 1, $3, " CANCEL_CODES
	"  FROM order_ext_internal.orders o"
	"  JOIN order_ext_internal.payments p ON p.order_id = o.order_id"
	LEFT_OF_PAYMENT
	"  CROSS JOIN LATERAL (SELECT least(coalesce(sum(greatest(i.pay - given.amount, 0)"
	"     * (i.quantity > given.quantity)::integer), 0)::bigint, rest.amount) AS amount"
	"   FROM order_ext_internal.order_items i" GIVEN_OF_LINE("0")
	"   WHERE i.order_id = o.order_id) AS goods"
	"  CROSS JOIN LATERAL (SELECT greatest(o.freight_amount"
	"     - coalesce(sum(a.freight), 0)::bigint, 0) AS amount"
	"   FROM order_ext_internal.after_sales a"
	"   WHERE a.order_id = o.order_id AND " COUNTS("a", "0") ") AS freight"
	"  WHERE o.order_id = ANY ($1) AND o.status = " CODE(ORDER_CANCELED)
	"   AND p.status = " CODE(PAYMENT_CAPTURED) " AND p.purpose = " CODE(PURPOSE_APPLIED)
	"   AND rest.amount > 0"
	OPENED,
	INT8ARRAYOID, TIMESTAMPTZOID, INT2OID);

/* Refunds of cancellations that have no after-sale were made by version 0.1. */
#define REFUNDS_A_BATCH 1000

static SavedPlan find_untied = SAVED_PLAN_NO_ARGS(
	"SELECT r.refund_id FROM order_ext_internal.refunds r"
	" WHERE r.cause = " CODE(CAUSE_CANCEL) " AND r.after_sale_id = 0 ORDER BY r.refund_id");

static SavedPlan open_for_refunds = SAVED_PLAN(
	OPEN_FOR_CANCEL
	"   r.amount, least(o.freight_amount, r.amount), 0, r.requested_at, 1, $1, " CANCEL_CODES
	"  FROM order_ext_internal.refunds r"
	"  JOIN order_ext_internal.orders o ON o.order_id = r.order_id"
	"  WHERE r.refund_id = ANY ($2)"
	OPENED,
	INT2OID, INT8ARRAYOID);

static SavedPlan tie_refunds = SAVED_PLAN(
	"UPDATE order_ext_internal.refunds r SET after_sale_id = a.after_sale_id"
	" FROM order_ext_internal.after_sales a"
	" WHERE r.refund_id = ANY ($1) AND a.order_id = r.order_id"
	"  AND a.origin = '" AFTER_SALE_ORIGIN_CANCEL "'",
	INT8ARRAYOID);

static SavedPlan insert_all_items = SAVED_PLAN(
	"INSERT INTO order_ext_internal.after_sale_items"
	" (after_sale_id, order_id, product_id, amount, discount, quantity, line)"
	" SELECT l.after_sale_id, l.order_id, l.product_id,"
	"  greatest(least(l.pay, l.goods - (sum(l.pay) OVER up_to - l.pay)), 0)::bigint,"
	"  l.discount, l.quantity, l.line"
	" FROM (SELECT n.after_sale_id, i.order_id, i.product_id, i.line,"
	"   greatest(i.pay - given.amount, 0) AS pay,"
	"   greatest(i.discount - given.discount, 0) AS discount,"
	"   i.quantity - given.quantity AS quantity, n.amount - n.freight - n.extra AS goods"
	"  FROM order_ext_internal.after_sales n"
	"  JOIN order_ext_internal.order_items i ON i.order_id = n.order_id"
	GIVEN_OF_LINE("n.after_sale_id")
	"  WHERE n.after_sale_id = ANY ($1) AND i.quantity > given.quantity) l"
	" WINDOW up_to AS (PARTITION BY l.after_sale_id ORDER BY l.line)",
	INT8ARRAYOID);

/* The log rows, messages and lines of the whole-order after-sales just inserted. */
static void
complete_opened(Journal *journal, const Edge *edge, int n)
{
	JsonbBuilder *detail = jsonb_object_begin();
	int64	   *ids = palloc(sizeof(int64) * Max(n, 1));
	AfterSale  *opened;
	Datum		values[1];
	int			i;

	if (n == 0)
		return;
	jsonb_add_text(detail, "origin", AFTER_SALE_ORIGIN_CANCEL);
	opened = after_sales_returned(n);
	for (i = 0; i < n; i++)
		ids[i] = opened[i].after_sale_id;
	values[0] = int64_array(ids, n);
	(void) plan_write(&insert_all_items, values, NULL, 0);
	after_sales_journal(journal, edge, opened, n, ACTOR_SYSTEM, jsonb_object_end(detail));
}

void
after_sales_open_for_canceled(Journal *journal, const int64 *order_ids, int n)
{
	const Edge *edge = machine_edge(MACHINE_AFTER_SALE, STATUS_NONE, EVENT_AFTER_SALE_OPEN);
	Datum		values[3];

	values[0] = int64_array(order_ids, n);
	values[1] = TimestampTzGetDatum(journal_time(journal));
	values[2] = Int16GetDatum(edge->to);
	complete_opened(journal, edge, (int) plan_write(&open_for_canceled, values, NULL, 0));
}

/* Returns the number of refunds; *opened is advanced by that of the after-sales. */
static int
open_for_next(Portal untied, int *opened)
{
	const Edge *edge = machine_edge(MACHINE_AFTER_SALE, STATUS_NONE, EVENT_AFTER_SALE_OPEN);
	Journal    *journal = journal_begin(GetCurrentTimestamp());
	int			n = (int) plan_fetch(untied, REFUNDS_A_BATCH);
	int64	   *ids = palloc(sizeof(int64) * Max(n, 1));
	Datum		values[2];
	int			n_opened;
	int			i;

	for (i = 0; i < n; i++)
		ids[i] = row_int64(i, 1);
	values[0] = Int16GetDatum(edge->to);
	values[1] = int64_array(ids, n);
	n_opened = (int) plan_write(&open_for_refunds, values, NULL, 0);
	complete_opened(journal, edge, n_opened);
	journal_write(journal);
	(void) plan_write(&tie_refunds, &values[1], NULL, 0);
	*opened += n_opened;
	return n;
}

int
after_sales_open_for_refunds(void)
{
	Portal		untied = plan_open(&find_untied, NULL, NULL);
	int			opened = 0;
	int			n;

	do
	{
		plan_batch_begin();
		n = open_for_next(untied, &opened);
		plan_batch_end();
	} while (n == REFUNDS_A_BATCH);
	plan_close(untied);
	return opened;
}

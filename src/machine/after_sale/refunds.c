/*
 * refunds.c
 *		After-sales follow their refunds; see refunds.h.
 */
#include "compat.h"

#include "catalog/pg_type.h"

#include "core/spi_util.h"
#include "machine/after_sale/refunds.h"

static SavedPlan count_refunds = SAVED_PLAN(
	"SELECT a.after_sale_id, a.status,"
	"       count(*) FILTER (WHERE r.status = " CODE(REFUND_REQUESTED) ")::int,"
	"       count(*) FILTER (WHERE r.status = " CODE(REFUND_SUBMITTED) ")::int,"
	"       count(*) FILTER (WHERE r.status = " CODE(REFUND_SUCCEEDED) ")::int,"
	"       count(*) FILTER (WHERE r.status = " CODE(REFUND_FAILED) ")::int,"
	"       bool_or(" AFTER_SALE_HAS_ITS_GOODS ")"
	" FROM order_ext_internal.after_sales a"
	" JOIN order_ext_internal.refunds r ON r.order_id = a.order_id"
	"   AND r.after_sale_id = a.after_sale_id"
	" WHERE a.after_sale_id = ANY ($1)"
	" GROUP BY a.after_sale_id, a.status ORDER BY a.after_sale_id",
	INT8ARRAYOID);

typedef struct RefundCounts
{
	int64		after_sale_id;
	int16		status;			/* of the after-sale */
	int32		requested;
	int32		submitted;
	int32		succeeded;
	int32		failed;
	bool		complete;		/* no goods, nor a decision about any, are waited for */
} RefundCounts;

/* The event by which the after-sale follows its refunds; 0 if it is in line with them. */
static Event
next_event(const RefundCounts *refunds)
{
	int32		open = refunds->requested + refunds->submitted;
	int32		answered = refunds->submitted + refunds->succeeded + refunds->failed;

	if (open + answered == 0)
		return 0;
	switch ((AfterSaleStatus) refunds->status)
	{
		case AFTER_SALE_APPROVED:
			return answered > 0 ? EVENT_AFTER_SALE_REFUND : 0;
		case AFTER_SALE_REFUNDING:
			if (open > 0)
				return 0;
			if (refunds->failed > 0)
				return EVENT_AFTER_SALE_FAIL;
			return refunds->complete ? EVENT_AFTER_SALE_SETTLE : 0;
		case AFTER_SALE_REFUNDED:
			if (open > 0)
				return EVENT_AFTER_SALE_REVIVE;
			return refunds->failed > 0 ? EVENT_AFTER_SALE_REVERSE : 0;
		case AFTER_SALE_FAILED:
			if (open > 0)
				return EVENT_AFTER_SALE_RETRY;
			if (refunds->failed > 0)
				return 0;
			return refunds->complete ? EVENT_AFTER_SALE_SETTLE : EVENT_AFTER_SALE_RETRY;
		default:
			return 0;
	}
}

/* Move all after-sales in the status of the first one that has to move, by its event. */
static bool
follow_one_edge(Journal *journal, RefundCounts *refunds, int n, char actor)
{
	const Edge *edge = NULL;
	int64	   *ids = palloc(sizeof(int64) * n);
	int			n_ids = 0;
	int			i;

	for (i = 0; i < n; i++)
	{
		Event		event = next_event(&refunds[i]);

		if (event == 0 ||
			(edge != NULL && (edge->from != refunds[i].status || edge->event != event)))
			continue;
		if (edge == NULL)
			edge = machine_edge(MACHINE_AFTER_SALE, refunds[i].status, event);
		ids[n_ids++] = refunds[i].after_sale_id;
		refunds[i].status = edge->to;
	}
	if (n_ids > 0)
		after_sales_move(journal, edge, ids, n_ids, actor, NULL, NULL);
	return n_ids > 0;
}

void
after_sales_follow(Journal *journal, const int64 *after_sale_ids, int n, char actor)
{
	Datum		values[1];
	RefundCounts *refunds;
	int			i;

	if (n == 0)
		return;
	values[0] = int64_array(after_sale_ids, n);
	n = (int) plan_query(&count_refunds, values, NULL, 0);
	refunds = palloc(sizeof(RefundCounts) * Max(n, 1));
	for (i = 0; i < n; i++)
	{
		refunds[i].after_sale_id = row_int64(i, 1);
		refunds[i].status = row_int16(i, 2);
		refunds[i].requested = row_int32(i, 3);
		refunds[i].submitted = row_int32(i, 4);
		refunds[i].succeeded = row_int32(i, 5);
		refunds[i].failed = row_int32(i, 6);
		refunds[i].complete = row_bool(i, 7);
	}
	while (follow_one_edge(journal, refunds, n, actor))
		 /* one status after the other */ ;
}

void
after_sales_follow_refunds(Journal *journal, const Refund *refunds, int n, char actor)
{
	int64	   *after_sales = palloc(sizeof(int64) * Max(n, 1));
	int			n_after_sales = 0;
	int			i;

	for (i = 0; i < n; i++)
	{
		if (refunds[i].after_sale_id != 0)
			after_sales[n_after_sales++] = refunds[i].after_sale_id;
	}
	after_sales_follow(journal, after_sales, n_after_sales, actor);
}

bool
after_sale_permits_retry(const Refund *refund)
{
	AfterSale	after_sale;

	if (refund->status == REFUND_REQUESTED)
		return refund->held;
	if (refund->status != REFUND_FAILED)
		return false;
	return refund->after_sale_id == 0 ||
		(after_sale_read(refund->after_sale_id, &after_sale) &&
		 (after_sale.status == AFTER_SALE_FAILED || after_sale.status == AFTER_SALE_REFUNDING));
}

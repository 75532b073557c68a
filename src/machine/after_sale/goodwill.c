/*
 * goodwill.c
 *		Refunds that staff decides without an application; see goodwill.h.
 */
#include "compat.h"

#include "catalog/pg_type.h"

#include "core/jsonb_build.h"
#include "core/spi_util.h"
#include "machine/after_sale/goodwill.h"
#include "machine/refund/request.h"

static SavedPlan count_goodwill = SAVED_PLAN(
	"SELECT count(*) FROM order_ext_internal.after_sales"
	" WHERE order_id = $1 AND origin LIKE '" AFTER_SALE_ORIGIN_GOODWILL "%'",
	INT8OID);

static Jsonb *
goodwill_detail(const AfterSale *after_sale)
{
	JsonbBuilder *detail = jsonb_object_begin();

	jsonb_add_text(detail, "origin", after_sale->origin);
	jsonb_add_int(detail, "amount", after_sale->amount);
	if (after_sale->reason != NULL)
		jsonb_add_text(detail, "reason", after_sale->reason);
	return jsonb_object_end(detail);
}

int64
goodwill_refund(Journal *journal, const Order *order, const GoodsBack *goods, int64 extra,
				const char *reason, AfterSale *after_sale)
{
	Datum		values[1] = {Int64GetDatum(order->order_id)};

	(void) plan_query(&count_goodwill, values, NULL, 1);
	memset(after_sale, 0, sizeof(AfterSale));
	after_sale->order_id = order->order_id;
	after_sale->user_id = order->user_id;
	after_sale->order_version = order->version;
	after_sale->amount = goods->amount + extra;
	after_sale->freight = goods->freight;
	after_sale->extra = extra;
	after_sale->type = AFTER_SALE_GOODWILL;
	after_sale->detail_type = goods->whole ? DETAIL_ALL : DETAIL_PART;
	after_sale->source = SOURCE_CUSTOMER_SERVICE;
	after_sale->reason_code = REASON_OTHER;
	after_sale->return_status = NO_RETURN;
	after_sale->origin = psprintf(AFTER_SALE_ORIGIN_GOODWILL INT64_FORMAT, row_int64(0, 1) + 1);
	after_sale->reason = unconstify(char *, reason);
	entitlement_touch(order->order_id);
	(void) after_sale_create(journal, after_sale, goods->items, goods->n, EVENT_AFTER_SALE_OPEN,
							 ACTOR_STAFF, goodwill_detail(after_sale));
	return refund_request_for_after_sale(journal, after_sale->after_sale_id, ACTOR_STAFF);
}

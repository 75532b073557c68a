/*
 * flow.c
 *		The paths of an after-sale through its machine; see flow.h.
 */
#include "compat.h"

#include "catalog/pg_type.h"

#include "core/alert.h"
#include "core/jsonb_build.h"
#include "core/locks.h"
#include "core/settings.h"
#include "core/spi_util.h"
#include "machine/after_sale/flow.h"
#include "machine/after_sale/message.h"
#include "machine/after_sale/refunds.h"
#include "machine/refund/refund.h"
#include "machine/refund/request.h"
#include "machine/stock/take_back.h"

static SavedPlan read_items = SAVED_PLAN(
	"SELECT product_id, line, quantity, amount, discount, before"
	" FROM order_ext_internal.after_sale_items WHERE after_sale_id = $1 ORDER BY line",
	INT8OID);

/* An imported order was signed before. */
static SavedPlan signed_at = SAVED_PLAN(
	"SELECT coalesce((detail ->> 'signed_at')::timestamptz, at)"
	" FROM order_ext_internal.transition_log"
	" WHERE machine = " CODE(MACHINE_ORDER) " AND entity_id = $1"
	"  AND to_status IN (" CODES(ORDER_SIGNED, ORDER_REFUSED) ") AND from_status <> to_status"
	" ORDER BY version DESC LIMIT 1",
	INT8OID);

static SavedPlan sum_paid = SAVED_PLAN(
	"SELECT coalesce(sum(coalesce(r.asked, r.amount))"
	"  FILTER (WHERE r.status = " CODE(REFUND_SUCCEEDED) "), 0)::bigint,"
	" coalesce(bool_or(r.status <> " CODE(REFUND_WITHDRAWN) "), false)"
	" FROM order_ext_internal.refunds r"
	" JOIN order_ext_internal.after_sales a ON a.order_id = r.order_id"
	" WHERE a.after_sale_id = $1 AND r.after_sale_id = $1",
	INT8OID);

static SavedPlan keep_goodwill = SAVED_PLAN(
	"UPDATE order_ext_internal.refunds r SET kept = true"
	" FROM order_ext_internal.after_sales a"
	" WHERE a.after_sale_id = $1 AND r.order_id = a.order_id AND r.after_sale_id = $1"
	"  AND r.status = " CODE(REFUND_WITHDRAWN),
	INT8OID);

static SavedPlan count_pieces = SAVED_PLAN(
	"SELECT coalesce(sum(quantity), 0)::bigint FROM order_ext_internal.after_sale_items"
	" WHERE after_sale_id = $1",
	INT8OID);

static SavedPlan count_shortages = SAVED_PLAN(
	"SELECT count(*) FROM order_ext_internal.after_sales"
	" WHERE order_id = $1 AND origin LIKE '" AFTER_SALE_ORIGIN_SHORTAGE "%'",
	INT8OID);

void
after_sale_lock(int64 after_sale_id, AfterSale *after_sale)
{
	after_sale_read_or_fail(after_sale_id, after_sale);
	lock_wait(LOCK_REFUND, after_sale->order_id);
	after_sale_read_or_fail(after_sale_id, after_sale);
}

/* A timer for this stage of the after-sale; its handler checks whether it is still in it. */
static void
arm(BuiltinTopic topic, const AfterSale *after_sale, TimestampTz due_at)
{
	JsonbBuilder *payload = after_sale_payload(after_sale);

	jsonb_add_int(payload, "after_sale_version", after_sale->version);
	(void) timer_arm(topic, after_sale->order_id, due_at, TIMER_UNBOUND,
					 jsonb_object_end(payload));
}

void
after_sale_arm_close(const AfterSale *after_sale, TimestampTz due_at)
{
	arm(TOPIC_AFTER_SALE_AUTO_CLOSE, after_sale, due_at);
}

static TimestampTz
seconds_after(const Journal *journal, int seconds)
{
	return journal_time(journal) + seconds * USECS_PER_SEC;
}

/* ---- applying ---- */

bool
after_sale_in_time(int64 order_id)
{
	Datum		values[1] = {Int64GetDatum(order_id)};

	return plan_query(&signed_at, values, NULL, 1) == 0 ||
		row_timestamptz(0, 1) + setting_after_sale_window * USECS_PER_SEC > GetCurrentTimestamp();
}

static void
fill(AfterSale *after_sale, const Order *order, AfterSaleType type, const GoodsBack *goods)
{
	memset(after_sale, 0, sizeof(AfterSale));
	after_sale->order_id = order->order_id;
	after_sale->user_id = order->user_id;
	after_sale->order_version = order->version;
	after_sale->amount = goods->amount;
	after_sale->freight = goods->freight;
	after_sale->type = type;
	after_sale->detail_type = goods->whole ? DETAIL_ALL : DETAIL_PART;
	after_sale->reason_code = REASON_OTHER;
	after_sale->return_status = NO_RETURN;
}

static Jsonb *
origin_detail(const char *origin)
{
	JsonbBuilder *detail = jsonb_object_begin();

	jsonb_add_text(detail, "origin", origin);
	return jsonb_object_end(detail);
}

void
after_sale_apply(Journal *journal, const Order *order, AfterSaleType type,
				 const GoodsBack *goods, const char *reason, AfterSale *after_sale)
{
	JsonbBuilder *detail = jsonb_object_begin();

	fill(after_sale, order, type, goods);
	after_sale->source = type == AFTER_SALE_REFUND_ONLY ? SOURCE_USER_REFUND : SOURCE_USER_RETURN;
	after_sale->reason = unconstify(char *, reason);
	jsonb_add_int(detail, "amount", goods->amount);
	if (goods->freight > 0)
		jsonb_add_int(detail, "freight", goods->freight);
	if (reason != NULL)
		jsonb_add_text(detail, "reason", reason);
	entitlement_touch(order->order_id);
	(void) after_sale_create(journal, after_sale, goods->items, goods->n, EVENT_AFTER_SALE_APPLY,
							 ACTOR_BUYER, jsonb_object_end(detail));
	if (type == AFTER_SALE_RETURN_REFUND)
		return_fire(journal, after_sale, EVENT_RETURN_AWAIT, ACTOR_BUYER, NULL, NULL);
	arm(TOPIC_AFTER_SALE_REVIEW_DUE, after_sale, seconds_after(journal, setting_review_reminder));
}

/* Its goods, as they are priced. */
static void
read_goods(const AfterSale *after_sale, GoodsBack *goods)
{
	Datum		values[1] = {Int64GetDatum(after_sale->after_sale_id)};
	int			i;

	memset(goods, 0, sizeof(GoodsBack));
	goods->amount = after_sale->amount;
	goods->freight = after_sale->freight;
	goods->n = (int) plan_query(&read_items, values, NULL, 0);
	goods->items = palloc0(sizeof(AfterSaleItem) * Max(goods->n, 1));
	for (i = 0; i < goods->n; i++)
	{
		goods->items[i].product_id = row_int64(i, 1);
		goods->items[i].line = row_int32(i, 2);
		goods->items[i].quantity = row_int32(i, 3);
		goods->items[i].amount = row_int64(i, 4);
		goods->items[i].discount = row_int64(i, 5);
		goods->items[i].before = row_int32(i, 6);
	}
}

void
after_sale_reopen(Journal *journal, AfterSale *after_sale)
{
	Entitlement *entitlement = entitlement_read(after_sale->order_id, after_sale->after_sale_id);
	GoodsBack	goods;

	read_goods(after_sale, &goods);
	entitlement_price(entitlement, &goods);
	entitlement_touch(after_sale->order_id);
	after_sale_reprice(after_sale, goods.amount, goods.freight, goods.items, goods.n);
	after_sale_fire(journal, after_sale, EVENT_AFTER_SALE_REOPEN, ACTOR_STAFF, NULL, NULL);
	after_sale_fire(journal, after_sale, EVENT_AFTER_SALE_REAPPLY, ACTOR_STAFF, NULL, NULL);
	arm(TOPIC_AFTER_SALE_REVIEW_DUE, after_sale, seconds_after(journal, setting_review_reminder));
}

/* What its goods and freight are worth now, as far as they have not gone back otherwise. */
static void
price_again(const AfterSale *after_sale, const Entitlement *entitlement, GoodsBack *goods)
{
	if (after_sale->type == AFTER_SALE_GOODWILL)
	{
		entitlement_value(entitlement, goods);
		goods->freight = Min(after_sale->freight,
							 Max(entitlement->freight - entitlement->freight_given, 0));
		goods->amount += goods->freight;
	}
	else
		entitlement_price(entitlement, goods);
}

bool
after_sale_revive(Journal *journal, AfterSale *after_sale)
{
	Entitlement *entitlement = entitlement_read(after_sale->order_id, after_sale->after_sale_id);
	int64		left = entitlement->paid ? entitlement->money.left + after_sale->paid_outside : 0;
	bool		of_all = after_sale->origin != NULL &&
	strcmp(after_sale->origin, AFTER_SALE_ORIGIN_CANCEL) == 0;
	int64		extra;
	GoodsBack	goods;

	read_goods(after_sale, &goods);
	if (after_sale->status != AFTER_SALE_CLOSED || !entitlement_has(entitlement, &goods))
		return false;
	price_again(after_sale, entitlement, &goods);
	entitlement_cut(entitlement, &goods, left);
	extra = of_all ? left - goods.amount : Min(after_sale->extra, left - goods.amount);
	if (goods.amount + extra <= after_sale->paid_outside)
		return false;
	after_sale->extra = extra;
	entitlement_touch(after_sale->order_id);
	after_sale_reprice(after_sale, goods.amount + extra, goods.freight, goods.items, goods.n);
	after_sale_fire(journal, after_sale, EVENT_AFTER_SALE_REVIVE, ACTOR_STAFF, NULL, NULL);
	return true;
}

bool
after_sale_revive_paid(Journal *journal, AfterSale *after_sale)
{
	Entitlement *entitlement = entitlement_read(after_sale->order_id, after_sale->after_sale_id);
	GoodsBack	goods;

	read_goods(after_sale, &goods);
	if (after_sale->status != AFTER_SALE_CLOSED || !entitlement_has(entitlement, &goods) ||
		goods.freight > entitlement->freight - entitlement->freight_given)
		return false;
	entitlement_touch(after_sale->order_id);
	after_sale_fire(journal, after_sale, EVENT_AFTER_SALE_REVIVE, ACTOR_STAFF, NULL, NULL);
	return true;
}

/* ---- deciding ---- */

/*
 * Other refunds may have used up what it was to get: then it gets what is left, and staff is
 * alerted.
 */
static void
fit(Journal *journal, AfterSale *after_sale)
{
	Entitlement *entitlement = entitlement_read(after_sale->order_id, after_sale->after_sale_id);
	int64		left = entitlement->paid ? entitlement->money.left : 0;
	GoodsBack	goods;

	if (after_sale->amount <= left)
		return;
	read_goods(after_sale, &goods);
	entitlement_cut(entitlement, &goods, left);
	after_sale_reprice(after_sale, goods.amount, goods.freight, goods.items, goods.n);
	after_sale_alert(journal, after_sale, ALERT_PAYMENT_USED_UP, NULL);
}

/* Pay back its amount. If there is nothing to pay back, it is settled at once. */
static void
pay_back(Journal *journal, AfterSale *after_sale, char actor)
{
	fit(journal, after_sale);
	if (after_sale->amount == 0)
	{
		after_sale_fire(journal, after_sale, EVENT_AFTER_SALE_REFUND, ACTOR_SYSTEM, NULL, NULL);
		after_sale_fire(journal, after_sale, EVENT_AFTER_SALE_SETTLE, ACTOR_SYSTEM, NULL, NULL);
	}
	else
		(void) refund_request_for_after_sale(journal, after_sale->after_sale_id, actor);
}

static Jsonb *
reason_detail(const char *reason)
{
	JsonbBuilder *detail;

	if (reason == NULL)
		return NULL;
	detail = jsonb_object_begin();
	jsonb_add_text(detail, "reason", reason);
	return jsonb_object_end(detail);
}

void
after_sale_approve(Journal *journal, AfterSale *after_sale, const char *reason)
{
	ReturnChange change = {.return_by = seconds_after(journal, setting_return_window)};

	if (after_sale->type == AFTER_SALE_REFUND_ONLY)
		fit(journal, after_sale);
	after_sale_fire(journal, after_sale, EVENT_AFTER_SALE_APPROVE, ACTOR_STAFF, reason,
					reason_detail(reason));
	if (after_sale->type == AFTER_SALE_REFUND_ONLY)
	{
		pay_back(journal, after_sale, ACTOR_STAFF);
		return;
	}
	return_fire(journal, after_sale, EVENT_RETURN_ALLOW, ACTOR_STAFF, &change, NULL);
	after_sale_arm_close(after_sale, change.return_by);
}

/*
 * What some of its refunds have paid counts as given back for its lines, and no more: the rest of
 * them can be applied for again.
 */
static void
cut_to_paid(AfterSale *after_sale)
{
	Datum		values[1] = {Int64GetDatum(after_sale->after_sale_id)};
	Entitlement *entitlement;
	GoodsBack	goods;
	int64		paid;

	(void) plan_query(&sum_paid, values, NULL, 1);
	paid = row_int64(0, 1);
	if (paid == 0)
		return;
	paid += after_sale->paid_outside;
	after_sale->extra = Min(after_sale->extra, paid);
	read_goods(after_sale, &goods);
	goods.amount -= after_sale->extra;
	entitlement = entitlement_read(after_sale->order_id, after_sale->after_sale_id);
	entitlement_cut(entitlement, &goods, paid - after_sale->extra);
	after_sale_reprice(after_sale, goods.amount + after_sale->extra, goods.freight, goods.items,
					   goods.n);
}

bool
after_sale_give_up(Journal *journal, AfterSale *after_sale, Event event, char actor,
				   const char *reason)
{
	Datum		values[1] = {Int64GetDatum(after_sale->after_sale_id)};

	if (after_sale->status == AFTER_SALE_APPROVED &&
		!refunds_withdraw(journal, after_sale->after_sale_id, actor))
		return false;
	/* what staff had decided to give, and keeps now, as withdraw_refund has it */
	if (after_sale->status == AFTER_SALE_APPROVED && after_sale->type == AFTER_SALE_GOODWILL)
		(void) plan_write(&keep_goodwill, values, NULL, 0);
	entitlement_touch(after_sale->order_id);
	if (after_sale->status == AFTER_SALE_FAILED)
		cut_to_paid(after_sale);
	after_sale_fire(journal, after_sale, event, actor, reason, reason_detail(reason));
	return true;
}

/* ---- ending ---- */

bool
after_sale_awaits_goods(const AfterSale *after_sale)
{
	return after_sale->type == AFTER_SALE_RETURN_REFUND &&
		after_sale->return_status != RETURN_INSPECTED;
}

/* Nothing is to be paid back any more: it is settled, or closed if nothing was. */
static void
end_unpaid(Journal *journal, AfterSale *after_sale, char actor, const char *reason)
{
	Datum		values[1] = {Int64GetDatum(after_sale->after_sale_id)};
	bool		pieces;

	(void) plan_query(&count_pieces, values, NULL, 1);
	pieces = row_int64(0, 1) > 0;
	if (after_sale->amount > after_sale->paid_outside || (after_sale->amount == 0 && !pieces))
	{
		entitlement_touch(after_sale->order_id);
		after_sale_fire(journal, after_sale, EVENT_AFTER_SALE_CLOSE, actor, reason,
						reason_detail(reason));
		return;
	}
	if (after_sale->status == AFTER_SALE_APPROVED)
		after_sale_fire(journal, after_sale, EVENT_AFTER_SALE_REFUND, actor, NULL, NULL);
	after_sale_fire(journal, after_sale, EVENT_AFTER_SALE_SETTLE, actor, NULL, NULL);
}

bool
after_sale_is_open(const AfterSale *after_sale)
{
	switch ((AfterSaleStatus) after_sale->status)
	{
		case AFTER_SALE_APPROVED:
		case AFTER_SALE_REFUNDING:
		case AFTER_SALE_REFUNDED:
		case AFTER_SALE_FAILED:
			return true;
		default:
			return false;
	}
}

bool
after_sale_has_refunds(const AfterSale *after_sale)
{
	Datum		values[1] = {Int64GetDatum(after_sale->after_sale_id)};

	(void) plan_query(&sum_paid, values, NULL, 1);
	return row_bool(0, 2);
}

void
after_sale_conclude(Journal *journal, AfterSale *after_sale, char actor, const char *reason)
{
	if (!after_sale_is_open(after_sale) || after_sale->status == AFTER_SALE_REFUNDED)
		return;
	if (after_sale_has_refunds(after_sale))
	{
		after_sales_follow(journal, &after_sale->after_sale_id, 1, actor);
		after_sale_read_or_fail(after_sale->after_sale_id, after_sale);
	}
	else if (!after_sale_awaits_goods(after_sale))
		end_unpaid(journal, after_sale, actor, reason);
	else if (after_sale->status == AFTER_SALE_FAILED)
		after_sale_fire(journal, after_sale, EVENT_AFTER_SALE_RETRY, actor, NULL, NULL);
}

/* ---- opened by warehouse and carrier ---- */

void
after_sale_shortage(Journal *journal, const Order *order, GoodsBack *goods, AfterSale *after_sale)
{
	Datum		values[1] = {Int64GetDatum(order->order_id)};

	(void) plan_query(&count_shortages, values, NULL, 1);
	fill(after_sale, order, AFTER_SALE_REFUND_ONLY, goods);
	after_sale->origin = psprintf(AFTER_SALE_ORIGIN_SHORTAGE INT64_FORMAT, row_int64(0, 1) + 1);
	after_sale->detail_type = DETAIL_SHORTAGE;
	after_sale->source = SOURCE_FULFILMENT;
	after_sale->reason_code = REASON_NUMBER;
	entitlement_touch(order->order_id);
	(void) after_sale_create(journal, after_sale, goods->items, goods->n, EVENT_AFTER_SALE_OPEN,
							 ACTOR_WAREHOUSE, origin_detail(after_sale->origin));
	take_back_lines(order->order_id, after_sale->after_sale_id,
					INT64_FIELDS(goods->items, product_id, goods->n),
					INT32_FIELDS(goods->items, quantity, goods->n), goods->n,
					LEDGER_WRITE_OFF, journal_time(journal), NULL);
	pay_back(journal, after_sale, ACTOR_WAREHOUSE);
}

/* All that is left of an order whose parcel did not arrive; false if there is nothing left. */
static bool
open_undelivered(Journal *journal, const Order *order, AfterSaleType type, char *origin,
				 int16 reason_code, AfterSale *after_sale)
{
	GoodsBack  *goods;

	if (!lock_is_mine(LOCK_REFUND, order->order_id))
		elog(ERROR, "refund lock of order " INT64_FORMAT " is not held", order->order_id);
	goods = entitlement_rest(entitlement_read(order->order_id, 0));
	if (goods->n == 0 || after_sale_of_origin(order->order_id, origin) != 0)
		return false;
	fill(after_sale, order, type, goods);
	after_sale->origin = origin;
	after_sale->source = SOURCE_FULFILMENT;
	after_sale->reason_code = reason_code;
	entitlement_touch(order->order_id);
	(void) after_sale_create(journal, after_sale, goods->items, goods->n, EVENT_AFTER_SALE_OPEN,
							 ACTOR_WAREHOUSE, origin_detail(origin));
	return true;
}

void
after_sale_refused(Journal *journal, const Order *order)
{
	AfterSale	after_sale;

	if (open_undelivered(journal, order, AFTER_SALE_RETURN_REFUND, AFTER_SALE_ORIGIN_REFUSED,
						 REASON_REFUSED, &after_sale))
		return_fire(journal, &after_sale, EVENT_RETURN_TURN_BACK, ACTOR_WAREHOUSE, NULL, NULL);
}

void
after_sale_lost(Journal *journal, const Order *order)
{
	AfterSale	after_sale;

	if (open_undelivered(journal, order, AFTER_SALE_REFUND_ONLY, AFTER_SALE_ORIGIN_LOST,
						 REASON_LOGISTICS, &after_sale))
		pay_back(journal, &after_sale, ACTOR_WAREHOUSE);
}

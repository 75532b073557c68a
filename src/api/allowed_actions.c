/*
 * allowed_actions.c
 *		allowed_actions: which calls the order's status allows now, read from its
 *		transition table. See allowed_actions.h.
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

#include "api/allowed_actions.h"
#include "core/args.h"
#include "core/call.h"
#include "core/settings.h"
#include "core/spi_util.h"
#include "machine/after_sale/flow.h"
#include "machine/archive/recall.h"

/* The calls, in the order in which they are listed. */
typedef enum Action
{
	ACTION_PRE_PAY_ORDER,
	ACTION_PAY_CALLBACK,
	ACTION_CANCEL_ORDER,
	ACTION_FULFILMENT_CANCEL_RESULT,
	ACTION_CHANGE_ADDRESS,
	ACTION_EXTEND_DEADLINE,
	ACTION_REMOVE_ORDER,
	ACTION_CONFIRM_RECEIPT,
	ACTION_SHIPMENT_EVENT,
	ACTION_APPLY_AFTER_SALE,
	ACTION_REPORT_SHORTAGE,
	ACTION_REVIEW_AFTER_SALE,
	ACTION_REVOKE_AFTER_SALE,
	ACTION_CLOSE_AFTER_SALE,
	ACTION_REOPEN_AFTER_SALE,
	ACTION_RETURN_SHIPMENT,
	ACTION_RETURN_RECEIPT,
	ACTION_RESOLVE_DAMAGED,
	ACTION_REFUND_ORDER,
	ACTION_RESOLVE_HELD_PAYMENT,
	N_ACTIONS
} Action;

static const char *const names[N_ACTIONS] = {
	[ACTION_PRE_PAY_ORDER] = "pre_pay_order",
	[ACTION_PAY_CALLBACK] = "pay_callback",
	[ACTION_CANCEL_ORDER] = "cancel_order",
	[ACTION_FULFILMENT_CANCEL_RESULT] = "fulfilment_cancel_result",
	[ACTION_CHANGE_ADDRESS] = "change_address",
	[ACTION_EXTEND_DEADLINE] = "extend_deadline",
	[ACTION_REMOVE_ORDER] = "remove_order",
	[ACTION_CONFIRM_RECEIPT] = "confirm_receipt",
	[ACTION_SHIPMENT_EVENT] = "shipment_event",
	[ACTION_APPLY_AFTER_SALE] = "apply_after_sale",
	[ACTION_REPORT_SHORTAGE] = "report_shortage",
	[ACTION_REVIEW_AFTER_SALE] = "review_after_sale",
	[ACTION_REVOKE_AFTER_SALE] = "revoke_after_sale",
	[ACTION_CLOSE_AFTER_SALE] = "close_after_sale",
	[ACTION_REOPEN_AFTER_SALE] = "reopen_after_sale",
	[ACTION_RETURN_SHIPMENT] = "return_shipment",
	[ACTION_RETURN_RECEIPT] = "return_receipt",
	[ACTION_RESOLVE_DAMAGED] = "resolve_damaged",
	[ACTION_REFUND_ORDER] = "refund_order",
	[ACTION_RESOLVE_HELD_PAYMENT] = "resolve_held_payment"
};

/* The events behind calls that people, gateways and warehouses make. */
static const struct
{
	Event		event;
	Action		action;
}			events[] = {
	{EVENT_PRE_PAY, ACTION_PRE_PAY_ORDER},
	{EVENT_PAY, ACTION_PAY_CALLBACK},
	{EVENT_CANCEL, ACTION_CANCEL_ORDER},
	{EVENT_REFUSE_INTERCEPT, ACTION_FULFILMENT_CANCEL_RESULT},
	{EVENT_CHANGE_ADDRESS, ACTION_CHANGE_ADDRESS},
	{EVENT_EXTEND_DEADLINE, ACTION_EXTEND_DEADLINE},
	{EVENT_REMOVE, ACTION_REMOVE_ORDER}
};

/* shipment_event has an event per kind. */
static const Event shipment_events[] = {EVENT_SHIP_OUT, EVENT_DELIVER, EVENT_SIGN, EVENT_REFUSE};

/*
 * Pieces that are not virtual and in no live after-sale, as entitlement_rest() has them; by
 * product, since objects of before 0.6 have no lines.
 */
#define PIECES_LEFT \
	"(SELECT coalesce(sum(i.quantity), 0) FROM order_ext_internal.order_items i" \
	"  WHERE i.order_id = o.order_id AND i.kind <> " CODE(KIND_VIRTUAL) ")" \
	" - (SELECT coalesce(sum(s.quantity), 0) FROM order_ext_internal.after_sale_items s" \
	"  WHERE s.order_id = o.order_id" \
	"   AND (SELECT i.kind FROM order_ext_internal.order_items i" \
	"    WHERE i.order_id = s.order_id AND i.product_id = s.product_id LIMIT 1)" \
	"   <> " CODE(KIND_VIRTUAL) \
	"   AND (SELECT a.status FROM order_ext_internal.after_sales a" \
	"    WHERE a.after_sale_id = s.after_sale_id) NOT IN (" AFTER_SALES_GIVEN_UP "))"

/* Joins "money": whether any is left of the capture that paid the order, and of others. */
#define MONEY_LEFT \
	" CROSS JOIN LATERAL (SELECT" \
	"  coalesce(bool_or(p.purpose = " CODE(PURPOSE_APPLIED) "), false) AS of_order," \
	"  coalesce(bool_or(p.purpose <> " CODE(PURPOSE_APPLIED) "), false) AS of_others" \
	"  FROM order_ext_internal.payments p" LEFT_OF_PAYMENT \
	"  WHERE p.order_id = k.order_id AND p.status = " CODE(PAYMENT_CAPTURED) \
	"   AND rest.amount > 0) AS money"

/* OFFSET: a lookup for each, where a join could be turned around. */
static SavedPlan read_orders = SAVED_PLAN(
	"SELECT k.n::int, o.status, o.expire_at, o.address_changes > 0, o.removed_at IS NOT NULL,"
	" f.status, f.intercept_refused,"
	" CASE WHEN o.status IN (" CODES(ORDER_SIGNED, ORDER_REFUSED) ") THEN"
	"  (SELECT coalesce((t.detail ->> 'signed_at')::timestamptz, t.at)"
	"   FROM order_ext_internal.transition_log t"
	"   WHERE t.machine = " CODE(MACHINE_ORDER) " AND t.entity_id = o.order_id"
	"    AND t.to_status IN (" CODES(ORDER_SIGNED, ORDER_REFUSED) ")"
	"    AND t.from_status <> t.to_status"
	"   ORDER BY t.version DESC LIMIT 1) END,"
	" CASE WHEN o.status IN (" CODES(ORDER_SIGNED, ORDER_REFUSED, ORDER_OUT_STOCK) ") THEN"
	"  " PIECES_LEFT " > 0 ELSE false END, money.of_order, money.of_others"
	" FROM unnest($1) WITH ORDINALITY AS k (order_id, n)"
	" CROSS JOIN LATERAL (SELECT * FROM order_ext_internal.orders r"
	"  WHERE r.order_id = k.order_id OFFSET 0) AS o"
	" LEFT JOIN LATERAL (SELECT l.status, l.intercept_refused"
	"  FROM order_ext_internal.fulfilments l WHERE l.order_id = k.order_id OFFSET 0) AS f ON true"
	MONEY_LEFT,
	INT8ARRAYOID);

/* Objects of before 0.7 have no pieces that were refused. */
static SavedPlan read_after_sales = SAVED_PLAN(
	"SELECT DISTINCT k.n::int, a.status, coalesce(a.return_status, " CODE(NO_RETURN) ")::smallint,"
	"  a.origin IS NOT NULL,"
	"  coalesce(a.origin, 'refused') <> 'refused' AND a.type <> " CODE(AFTER_SALE_GOODWILL) ","
	"  (SELECT true FROM order_ext_internal.refunds r WHERE r.order_id = a.order_id"
	"   AND r.after_sale_id = a.after_sale_id AND r.attempt > 0 LIMIT 1) IS NOT NULL,"
	"  CASE WHEN a.return_status IN (" CODES(RETURN_PARTLY, RETURN_DAMAGED) ") THEN"
	"   (SELECT sum(s.quantity - s.received + coalesce((to_jsonb(s) ->> 'refused')::int, 0)) > 0"
	"    FROM order_ext_internal.after_sale_items s WHERE s.after_sale_id = a.after_sale_id)"
	"   ELSE false END"
	" FROM unnest($1) WITH ORDINALITY AS k (order_id, n)"
	" CROSS JOIN LATERAL (SELECT * FROM order_ext_internal.after_sales s"
	"  WHERE s.order_id = k.order_id OFFSET 0) AS a",
	INT8ARRAYOID);

/* An order as read_orders reads it. */
typedef struct OrderFacts
{
	int16		status;
	TimestampTz expire_at;
	bool		address_changed;
	bool		removed;
	int16		fulfilment;		/* its status; 0: there is none */
	bool		intercept_refused;
	TimestampTz ended_at;		/* when it was signed or refused; 0: unknown, or not */
	bool		left;			/* to be applied for, or reported missing */
	bool		money_left;		/* of the capture that paid it */
	bool		other_money;	/* of captures that did not */
} OrderFacts;

static bool
anyone_allows(int16 status, Event event)
{
	return machine_allows(MACHINE_ORDER, status, event, ACTOR_BUYER) ||
		machine_allows(MACHINE_ORDER, status, event, ACTOR_STAFF) ||
		machine_allows(MACHINE_ORDER, status, event, ACTOR_GATEWAY) ||
		machine_allows(MACHINE_ORDER, status, event, ACTOR_WAREHOUSE);
}

/* What the status allows but another property of the order forbids. */
static bool
forbidden(Event event, const OrderFacts *order)
{
	switch (event)
	{
		case EVENT_PRE_PAY:
			/* the deadline ends payment before the timer ends the order */
			return GetCurrentTimestamp() >= order->expire_at;
		case EVENT_CHANGE_ADDRESS:
			return order->address_changed;
		case EVENT_REMOVE:
			return order->removed;
		case EVENT_CANCEL:
			/* a second time while the warehouse is being asked, or after it has refused */
			return order->status == ORDER_FULFILLING && order->fulfilment != 0 &&
				(order->fulfilment == FULFILMENT_CANCEL_REQUESTED || order->intercept_refused);
		case EVENT_REFUSE_INTERCEPT:
			return order->fulfilment != FULFILMENT_CANCEL_REQUESTED;
		default:
			return false;
	}
}

/* As after_sale_in_time() has it. */
static bool
in_time(const OrderFacts *order)
{
	return order->ended_at == 0 ||
		order->ended_at + setting_after_sale_window * USECS_PER_SEC > GetCurrentTimestamp();
}

static void
allow_by_order(const OrderFacts *order, bool *allowed)
{
	int			i;

	for (i = 0; i < (int) lengthof(events); i++)
		allowed[events[i].action] = anyone_allows(order->status, events[i].event) &&
			!forbidden(events[i].event, order);
	allowed[ACTION_CONFIRM_RECEIPT] =
		machine_allows(MACHINE_ORDER, order->status, EVENT_SIGN, ACTOR_BUYER);
	for (i = 0; i < (int) lengthof(shipment_events); i++)
		allowed[ACTION_SHIPMENT_EVENT] |=
			machine_allows(MACHINE_ORDER, order->status, shipment_events[i], ACTOR_WAREHOUSE);
	allowed[ACTION_APPLY_AFTER_SALE] = order->left && in_time(order) &&
		(order->status == ORDER_SIGNED || order->status == ORDER_REFUSED);
	allowed[ACTION_REPORT_SHORTAGE] = order->left && order->status == ORDER_OUT_STOCK;
	allowed[ACTION_REFUND_ORDER] = order->money_left;
	allowed[ACTION_RESOLVE_HELD_PAYMENT] = order->other_money;
}

/* What an after-sale allows, in the given row of read_after_sales, as in review_after_sale.c. */
static void
allow_by_after_sale(int row, bool *allowed)
{
	int16		status = row_int16(row, 2);
	int16		goods = row_int16(row, 3);
	bool		approved = status == AFTER_SALE_APPROVED;
	bool		unpaid = !approved || !row_bool(row, 6);
	bool		open = approved || status == AFTER_SALE_REFUNDING || status == AFTER_SALE_FAILED;
	bool		rest = open && row_bool(row, 7);

	allowed[ACTION_REVIEW_AFTER_SALE] |= status == AFTER_SALE_APPLIED;
	allowed[ACTION_REVOKE_AFTER_SALE] |= !row_bool(row, 4) && goods <= RETURN_TO_SEND && unpaid &&
		machine_allows(MACHINE_AFTER_SALE, status, EVENT_AFTER_SALE_REVOKE, ACTOR_BUYER);
	allowed[ACTION_CLOSE_AFTER_SALE] |= !(approved && row_bool(row, 5)) && unpaid &&
		status != AFTER_SALE_REFUNDING &&
		machine_allows(MACHINE_AFTER_SALE, status, EVENT_AFTER_SALE_CLOSE, ACTOR_STAFF);
	allowed[ACTION_REOPEN_AFTER_SALE] |= status == AFTER_SALE_REJECTED;
	allowed[ACTION_RETURN_SHIPMENT] |= rest || (approved && goods == RETURN_TO_SEND);
	allowed[ACTION_RETURN_RECEIPT] |= rest ||
		(approved && (goods == RETURN_TO_SEND || goods == RETURN_IN_TRANSIT));
	allowed[ACTION_RESOLVE_DAMAGED] |= open && goods == RETURN_DAMAGED;
}

/* A statement that reads what is there now, or what the caller's snapshot shows. */
typedef uint64 (*RunPlan) (SavedPlan *plan, const Datum *values, const char *nulls, long max_rows);

typedef bool Allowed[N_ACTIONS];

/* Fill in what each order allows, and which of them exist. */
static void
read_allowed(const int64 *order_ids, int n, RunPlan run, Allowed *allowed, bool *exists)
{
	Datum		values[1] = {int64_array(order_ids, n)};
	int			rows = (int) run(&read_orders, values, NULL, 0);
	int			i;

	for (i = 0; i < rows; i++)
	{
		int			k = row_int32(i, 1) - 1;
		OrderFacts	order = {0};

		order.status = row_int16(i, 2);
		order.expire_at = row_timestamptz(i, 3);
		order.address_changed = row_bool(i, 4);
		order.removed = row_bool(i, 5);
		order.fulfilment = row_is_null(i, 6) ? 0 : row_int16(i, 6);
		order.intercept_refused = !row_is_null(i, 7) && row_bool(i, 7);
		order.ended_at = row_is_null(i, 8) ? 0 : row_timestamptz(i, 8);
		order.left = row_bool(i, 9);
		order.money_left = row_bool(i, 10);
		order.other_money = row_bool(i, 11);
		allow_by_order(&order, allowed[k]);
		exists[k] = true;
	}
	rows = (int) run(&read_after_sales, values, NULL, 0);
	for (i = 0; i < rows; i++)
		allow_by_after_sale(i, allowed[row_int32(i, 1) - 1]);
}

static Jsonb *
names_of(const bool *allowed)
{
	JsonbParseState *state = NULL;
	int			i;

	(void) pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	for (i = 0; i < N_ACTIONS; i++)
	{
		JsonbValue	name = {.type = jbvString};

		if (!allowed[i])
			continue;
		name.val.string.val = unconstify(char *, names[i]);
		name.val.string.len = strlen(names[i]);
		(void) pushJsonbValue(&state, WJB_ELEM, &name);
	}
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY, NULL));
}

Jsonb **
allowed_actions_of(const int64 *order_ids, int n)
{
	Allowed    *allowed = palloc0(sizeof(Allowed) * n);
	bool	   *exists = palloc0(sizeof(bool) * n);
	Jsonb	  **lists = palloc0(sizeof(Jsonb *) * n);
	int			i;

	read_allowed(order_ids, n, plan_query_in_snapshot, allowed, exists);
	for (i = 0; i < n; i++)
	{
		/* of an archived one, nothing */
		if (exists[i] || recall_is_archived(order_ids[i]))
			lists[i] = names_of(allowed[i]);
	}
	return lists;
}

bool
allowed_actions_include(int64 order_id, const char *call)
{
	Allowed		allowed = {false};
	bool		exists = false;
	int			i;

	read_allowed(&order_id, 1, plan_query, &allowed, &exists);
	for (i = 0; i < N_ACTIONS; i++)
	{
		if (strcmp(names[i], call) == 0)
			return allowed[i];
	}
	elog(ERROR, "no such action: %s", call);
}

static Datum
allowed_actions_body(FunctionCallInfo fcinfo)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	int64		order_id = arg_id(fcinfo, 0, "order_id");
	Allowed		allowed = {false};
	bool		exists = false;
	Order		order;
	int			i;

	read_allowed(&order_id, 1, plan_query, &allowed, &exists);
	/* an archived one would have to come back first: nothing is to be done with it as it is */
	if (!exists && !recall_is_archived(order_id))
		order_read_or_fail(order_id, &order);
	for (i = 0; i < N_ACTIONS; i++)
	{
		Datum		values[1];
		bool		nulls[1] = {false};

		if (!allowed[i])
			continue;
		values[0] = CStringGetTextDatum(names[i]);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(order_ext_allowed_actions);
Datum
order_ext_allowed_actions(PG_FUNCTION_ARGS)
{
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	return api_read(fcinfo, allowed_actions_body);
}

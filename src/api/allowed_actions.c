/*
 * allowed_actions.c
 *		allowed_actions: which calls the order's status allows now, read from its
 *		transition table.
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

#include "core/args.h"
#include "core/call.h"
#include "core/spi_util.h"
#include "machine/after_sale_flow.h"
#include "machine/fulfilment.h"

/* The calls behind the events that people, gateways and warehouses drive. */
static const struct
{
	Event		event;
	const char *call;
}			calls[] = {
	{EVENT_PRE_PAY, "pre_pay_order"},
	{EVENT_PAY, "pay_callback"},
	{EVENT_CANCEL, "cancel_order"},
	{EVENT_REFUSE_INTERCEPT, "fulfilment_cancel_result"},
	{EVENT_CHANGE_ADDRESS, "change_address"},
	{EVENT_REMOVE, "remove_order"}
};

/* shipment_event has an event per kind. */
static const Event shipment_events[] = {EVENT_SHIP_OUT, EVENT_DELIVER, EVENT_SIGN, EVENT_REFUSE};

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
forbidden(Event event, const Order *order)
{
	Fulfilment	fulfilment;

	switch (event)
	{
		case EVENT_PRE_PAY:
			/* the deadline ends payment before the timer ends the order */
			return GetCurrentTimestamp() >= order->expire_at;
		case EVENT_CHANGE_ADDRESS:
			return order->address_changes > 0;
		case EVENT_REMOVE:
			return order->removed;
		case EVENT_CANCEL:
			/* a second time while the warehouse is being asked, or after it has refused */
			return order->status == ORDER_FULFILLING &&
				fulfilment_read(order->order_id, &fulfilment) &&
				(fulfilment.status == FULFILMENT_CANCEL_REQUESTED || fulfilment.intercept_refused);
		case EVENT_REFUSE_INTERCEPT:
			return !fulfilment_read(order->order_id, &fulfilment) ||
				fulfilment.status != FULFILMENT_CANCEL_REQUESTED;
		default:
			return false;
	}
}

static void
put_call(ReturnSetInfo *rsinfo, const char *call)
{
	Datum		values[1] = {CStringGetTextDatum(call)};
	bool		nulls[1] = {false};

	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/* ---- after-sales ---- */

static SavedPlan read_after_sales = SAVED_PLAN(
	"SELECT DISTINCT a.status, coalesce(a.return_status, " CODE(NO_RETURN) ")::smallint,"
	"  a.origin IS NOT NULL,"
	"  coalesce(a.origin, 'refused') <> 'refused' AND a.type <> " CODE(AFTER_SALE_GOODWILL) ","
	"  EXISTS (SELECT FROM order_ext_internal.refunds r WHERE r.order_id = a.order_id"
	"   AND r.after_sale_id = a.after_sale_id AND r.attempt > 0)"
	" FROM order_ext_internal.after_sales a WHERE a.order_id = $1",
	INT8OID);

/* The calls that an after-sale of the order allows, as in review_after_sale.c. */
static void
put_calls_of_after_sales(ReturnSetInfo *rsinfo, int64 order_id)
{
	static const char *const names[] = {"review_after_sale", "revoke_after_sale",
	"close_after_sale", "reopen_after_sale", "return_shipment", "return_receipt"};
	bool		allowed[lengthof(names)] = {false};
	Datum		values[1] = {Int64GetDatum(order_id)};
	int			n = (int) plan_query(&read_after_sales, values, NULL, 0);
	int			i;

	for (i = 0; i < n; i++)
	{
		int16		status = row_int16(i, 1);
		int16		goods = row_int16(i, 2);
		bool		approved = status == AFTER_SALE_APPROVED;
		bool		unpaid = !approved || !row_bool(i, 5);

		allowed[0] |= status == AFTER_SALE_APPLIED;
		allowed[1] |= !row_bool(i, 3) && goods <= RETURN_TO_SEND && unpaid &&
			machine_allows(MACHINE_AFTER_SALE, status, EVENT_AFTER_SALE_REVOKE, ACTOR_BUYER);
		allowed[2] |= !(approved && row_bool(i, 4)) && unpaid &&
			machine_allows(MACHINE_AFTER_SALE, status, EVENT_AFTER_SALE_CLOSE, ACTOR_STAFF);
		allowed[3] |= status == AFTER_SALE_REJECTED;
		allowed[4] |= approved && goods == RETURN_TO_SEND;
		allowed[5] |= approved && (goods == RETURN_TO_SEND || goods == RETURN_IN_TRANSIT);
	}
	for (i = 0; i < (int) lengthof(names); i++)
	{
		if (allowed[i])
			put_call(rsinfo, names[i]);
	}
}

static bool
something_left(int64 order_id)
{
	return entitlement_rest(entitlement_read(order_id, 0))->n > 0;
}

static void
put_after_sale_calls(ReturnSetInfo *rsinfo, const Order *order)
{
	if ((order->status == ORDER_SIGNED || order->status == ORDER_REFUSED) &&
		after_sale_in_time(order->order_id) && something_left(order->order_id))
		put_call(rsinfo, "apply_after_sale");
	if (order->status == ORDER_OUT_STOCK && something_left(order->order_id))
		put_call(rsinfo, "report_shortage");
	if (order->status > ORDER_CREATED)
		put_calls_of_after_sales(rsinfo, order->order_id);
}

static Datum
allowed_actions_body(FunctionCallInfo fcinfo)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Order		order;
	int			i;

	order_read_or_fail(arg_id(fcinfo, 0, "order_id"), &order);
	for (i = 0; i < (int) lengthof(calls); i++)
	{
		if (anyone_allows(order.status, calls[i].event) && !forbidden(calls[i].event, &order))
			put_call(rsinfo, calls[i].call);
	}
	if (machine_allows(MACHINE_ORDER, order.status, EVENT_SIGN, ACTOR_BUYER))
		put_call(rsinfo, "confirm_receipt");
	for (i = 0; i < (int) lengthof(shipment_events); i++)
	{
		if (machine_allows(MACHINE_ORDER, order.status, shipment_events[i], ACTOR_WAREHOUSE))
		{
			put_call(rsinfo, "shipment_event");
			break;
		}
	}
	put_after_sale_calls(rsinfo, &order);
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(order_ext_allowed_actions);
Datum
order_ext_allowed_actions(PG_FUNCTION_ARGS)
{
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	return api_read(fcinfo, allowed_actions_body);
}

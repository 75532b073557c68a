/*
 * allowed_actions.c
 *		allowed_actions: which calls the order's status allows now, read from its
 *		transition table.
 */
#include "compat.h"

#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

#include "core/call.h"
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

/* What the status allows, and something else about the order forbids. */
static bool
forbidden(Event event, const Order *order)
{
	Fulfilment	fulfilment;

	switch (event)
	{
		case EVENT_PRE_PAY:
			/* the deadline ends paying before the timer ends the order */
			return GetCurrentTimestamp() >= order->expire_at;
		case EVENT_CHANGE_ADDRESS:
			return order->address_changes > 0;
		case EVENT_REMOVE:
			return order->removed;
		case EVENT_CANCEL:
			/* a second time while the warehouse is asked, or after it has refused */
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
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(order_ext_allowed_actions);
Datum
order_ext_allowed_actions(PG_FUNCTION_ARGS)
{
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	return api_call(fcinfo, allowed_actions_body);
}

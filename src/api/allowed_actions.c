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
#include "machine/order.h"

/* The calls behind the events that people and gateways drive. */
static const struct
{
	Event		event;
	const char *call;
}			calls[] = {
	{EVENT_PRE_PAY, "pre_pay_order"},
	{EVENT_PAY, "pay_callback"},
	{EVENT_CANCEL, "cancel_order"}
};

static bool
anyone_allows(int16 status, Event event)
{
	return machine_allows(MACHINE_ORDER, status, event, ACTOR_BUYER) ||
		machine_allows(MACHINE_ORDER, status, event, ACTOR_STAFF) ||
		machine_allows(MACHINE_ORDER, status, event, ACTOR_GATEWAY) ||
		machine_allows(MACHINE_ORDER, status, event, ACTOR_WAREHOUSE);
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
		Datum		values[1];
		bool		nulls[1] = {false};

		if (!anyone_allows(order.status, calls[i].event))
			continue;
		/* the deadline ends paying before the timer ends the order */
		if (calls[i].event == EVENT_PRE_PAY && GetCurrentTimestamp() >= order.expire_at)
			continue;
		values[0] = CStringGetTextDatum(calls[i].call);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
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

/*
 * buyer.c
 *		What the buyer can do with an order once it has been created: confirm_receipt,
 *		change_address, remove_order.
 */
#include "compat.h"

#include "catalog/pg_type.h"

#include "core/args.h"
#include "core/call.h"
#include "core/error_facts.h"
#include "core/errors.h"
#include "core/locks.h"
#include "core/request.h"
#include "core/settings.h"
#include "core/spi_util.h"
#include "machine/order/message.h"
#include "machine/order/order.h"
#include "machine/shipment/shipment.h"

/* How often the address of an order may be changed. */
#define MAX_ADDRESS_CHANGES 1

static SavedPlan same_address = SAVED_PLAN(
	"SELECT options->'address' = $2 FROM order_ext_internal.orders WHERE order_id = $1",
	INT8OID, JSONBOID);

/* Read the order of a buyer under its lock; OE001, OE003. */
static void
read_own_order(int64 order_id, int64 user_id, Order *order)
{
	lock_wait(LOCK_ORDER_CANCEL, order_id);
	order_read_or_fail(order_id, order);
	order_check_owner(order, user_id, "Pass the user_id of its owner.");
}

static void
check_status_allows(const Order *order, Event event, const char *what)
{
	if (!machine_allows(MACHINE_ORDER, order->status, event, ACTOR_BUYER))
		ereport(ERROR,
				(errcode(ERRCODE_OE_WRONG_STATUS),
				 errmsg("order " INT64_FORMAT " cannot be %s", order->order_id, what),
				 error_facts("Its status is \"{status}\".",
							 FACT_ID("order_id", order->order_id),
							 FACT_TEXT("status",
									   machine_status_name(MACHINE_ORDER, order->status))),
				 errhint("allowed_actions shows what can be done with it now.")));
}

/* A transition made by the buyer. */
static void
fire(Order *order, Event event, const OrderChange *change)
{
	Journal    *journal = journal_begin(GetCurrentTimestamp());

	orders_fire(journal, order, 1, event, ACTOR_BUYER, change, NULL);
	if (event == EVENT_SIGN)
		shipments_settle(journal, order);
	journal_write(journal);
}

/* A request by the buyer. */
typedef struct BuyerRequest
{
	int64		order_id;
	int64		user_id;
	Jsonb	   *address;		/* of change_address */
} BuyerRequest;

static void
confirm_once(void *arg, const RequestKey *key, CallResult *result)
{
	const BuyerRequest *request = arg;
	Order		order;

	read_own_order(request->order_id, request->user_id, &order);
	result->disposition = "noop";
	if (order.status != ORDER_SIGNED)
	{
		check_status_allows(&order, EVENT_SIGN, "received");
		fire(&order, EVENT_SIGN, NULL);
		result->disposition = "applied";
	}
	order_result(result, order.order_id, &order);
}

static Datum
confirm_receipt_body(FunctionCallInfo fcinfo)
{
	BuyerRequest request = {0};

	request.order_id = arg_id(fcinfo, 0, "order_id");
	request.user_id = arg_id(fcinfo, 1, "user_id");
	return request_call(fcinfo, "confirm_receipt", 2, confirm_once, &request);
}

PG_FUNCTION_INFO_V1(order_ext_confirm_receipt);
Datum
order_ext_confirm_receipt(PG_FUNCTION_ARGS)
{
	return api_call(fcinfo, confirm_receipt_body);
}

static bool
has_address(int64 order_id, Jsonb *address)
{
	Datum		values[2] = {Int64GetDatum(order_id), JsonbPGetDatum(address)};

	(void) plan_query(&same_address, values, NULL, 1);
	return !row_is_null(0, 1) && row_bool(0, 1);
}

static Jsonb *
arg_address(FunctionCallInfo fcinfo, int n)
{
	Jsonb	   *address = arg_jsonb(fcinfo, n, "address", setting_max_payload);
	JsonbValue	scalar;

	if (JB_ROOT_IS_SCALAR(address) && JsonbExtractScalar(&address->root, &scalar) &&
		scalar.type == jbvNull)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"address\" must not be JSON null"),
				 error_facts(NULL, FACT_TEXT("argument", "address")),
				 errhint("Pass an object.")));
	return address;
}

static void
change_address_once(void *arg, const RequestKey *key, CallResult *result)
{
	const BuyerRequest *request = arg;
	OrderChange change = {.address = request->address};
	Jsonb	   *payload;
	Order		order;

	read_own_order(request->order_id, request->user_id, &order);
	check_status_allows(&order, EVENT_CHANGE_ADDRESS, "sent to another address");
	result->disposition = "noop";
	if (!has_address(order.order_id, change.address))
	{
		if (order.address_changes >= MAX_ADDRESS_CHANGES)
			ereport(ERROR,
					(errcode(ERRCODE_OE_WRONG_STATUS),
					 errmsg("order " INT64_FORMAT " cannot be sent to another address",
							order.order_id),
					 error_facts("Its address can be changed only once, and has already been "
								 "changed.",
								 FACT_TEXT("reason", "address_changed"),
								 FACT_ID("order_id", order.order_id),
								 FACT_TEXT("status",
										   machine_status_name(MACHINE_ORDER, order.status))),
					 errhint("allowed_actions shows what can be done with it now.")));
		payload = order_message_address(&order, change.address);
		change.payloads = &payload;
		fire(&order, EVENT_CHANGE_ADDRESS, &change);
		result->disposition = "applied";
	}
	order_result(result, order.order_id, &order);
}

static Datum
change_address_body(FunctionCallInfo fcinfo)
{
	BuyerRequest request;

	request.order_id = arg_id(fcinfo, 0, "order_id");
	request.user_id = arg_id(fcinfo, 1, "user_id");
	request.address = arg_address(fcinfo, 2);
	return request_call(fcinfo, "change_address", 3, change_address_once, &request);
}

PG_FUNCTION_INFO_V1(order_ext_change_address);
Datum
order_ext_change_address(PG_FUNCTION_ARGS)
{
	return api_call(fcinfo, change_address_body);
}

static Datum
remove_order_body(FunctionCallInfo fcinfo)
{
	static const OrderChange remove = {.removes = true};
	int64		order_id = arg_id(fcinfo, 0, "order_id");
	int64		user_id = arg_id(fcinfo, 1, "user_id");
	CallResult	result = {.disposition = "noop"};
	Order		order;

	read_own_order(order_id, user_id, &order);
	check_status_allows(&order, EVENT_REMOVE, "removed");
	if (!order.removed)
	{
		fire(&order, EVENT_REMOVE, &remove);
		result.disposition = "applied";
	}
	order_result(&result, order_id, &order);
	return call_return_result(fcinfo, &result);
}

PG_FUNCTION_INFO_V1(order_ext_remove_order);
Datum
order_ext_remove_order(PG_FUNCTION_ARGS)
{
	return api_call(fcinfo, remove_order_body);
}

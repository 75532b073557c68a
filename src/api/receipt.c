/*
 * receipt.c
 *		What the buyer does with an order after it was created: confirm_receipt,
 *		change_address, remove_order.
 */
#include "compat.h"

#include "catalog/pg_type.h"

#include "core/call.h"
#include "core/errors.h"
#include "core/locks.h"
#include "core/request.h"
#include "core/settings.h"
#include "core/spi_util.h"
#include "machine/order.h"
#include "machine/shipment.h"

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
	if (order->user_id != user_id)
		ereport(ERROR,
				(errcode(ERRCODE_OE_NOT_OWNER),
				 errmsg("order " INT64_FORMAT " belongs to another user", order_id)));
}

static void
check_status_allows(const Order *order, Event event, const char *what)
{
	if (!machine_allows(MACHINE_ORDER, order->status, event, ACTOR_BUYER))
		ereport(ERROR,
				(errcode(ERRCODE_OE_WRONG_STATUS),
				 errmsg("order " INT64_FORMAT " cannot be %s", order->order_id, what),
				 errdetail("Its status is \"%s\".", status_name(MACHINE_ORDER, order->status))));
}

/* One transition of the buyer's. */
static void
fire(Order *order, Event event, const OrderChange *change)
{
	Journal    *journal = journal_begin(GetCurrentTimestamp());

	orders_fire(journal, order, 1, event, ACTOR_BUYER, change, NULL);
	if (event == EVENT_SIGN)
		shipments_settle(journal, order);
	journal_write(journal);
}

static Datum
return_order(FunctionCallInfo fcinfo, const Order *order, const char *disposition,
			 const char *function, const char *request_id, const RequestHash *hash)
{
	CallResult	result = {.disposition = disposition};

	result.id = order->order_id;
	result.status = status_name(MACHINE_ORDER, order->status);
	result.version = order->version;
	request_remember(function, request_id, hash, &result);
	return call_return_result(fcinfo, &result);
}

static Datum
confirm_receipt_body(FunctionCallInfo fcinfo)
{
	int64		order_id = arg_id(fcinfo, 0, "order_id");
	int64		user_id = arg_id(fcinfo, 1, "user_id");
	char	   *request_id = arg_text_or_null(fcinfo, 2, "request_id", MAX_REQUEST_ID_CHARS);
	RequestHash hash = {{0, 0}};
	CallResult	replay = {0};
	Order		order;
	bool		received;

	if (request_id != NULL)
		hash = request_hash_arguments(fcinfo, 2);
	if (request_replay("confirm_receipt", request_id, &hash, &replay))
		return call_return_result(fcinfo, &replay);

	read_own_order(order_id, user_id, &order);
	received = order.status == ORDER_SIGNED;
	if (!received)
	{
		check_status_allows(&order, EVENT_SIGN, "received");
		fire(&order, EVENT_SIGN, NULL);
	}
	return return_order(fcinfo, &order, received ? "noop" : "applied",
						"confirm_receipt", request_id, &hash);
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
				 errmsg("argument \"address\" must not be a JSON null")));
	return address;
}

static Datum
change_address_body(FunctionCallInfo fcinfo)
{
	int64		order_id = arg_id(fcinfo, 0, "order_id");
	int64		user_id = arg_id(fcinfo, 1, "user_id");
	OrderChange change = {.address = arg_address(fcinfo, 2)};
	char	   *request_id = arg_text_or_null(fcinfo, 3, "request_id", MAX_REQUEST_ID_CHARS);
	RequestHash hash = {{0, 0}};
	CallResult	replay = {0};
	Order		order;

	if (request_id != NULL)
		hash = request_hash_arguments(fcinfo, 3);
	if (request_replay("change_address", request_id, &hash, &replay))
		return call_return_result(fcinfo, &replay);

	read_own_order(order_id, user_id, &order);
	check_status_allows(&order, EVENT_CHANGE_ADDRESS, "sent elsewhere");
	if (has_address(order_id, change.address))
		return return_order(fcinfo, &order, "noop", "change_address", request_id, &hash);
	if (order.address_changes >= MAX_ADDRESS_CHANGES)
		ereport(ERROR,
				(errcode(ERRCODE_OE_WRONG_STATUS),
				 errmsg("order " INT64_FORMAT " cannot be sent elsewhere", order_id),
				 errdetail("Its address was changed before, and that is possible once.")));
	fire(&order, EVENT_CHANGE_ADDRESS, &change);
	return return_order(fcinfo, &order, "applied", "change_address", request_id, &hash);
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
	RequestHash hash = {{0, 0}};
	Order		order;
	bool		removed;

	read_own_order(order_id, user_id, &order);
	check_status_allows(&order, EVENT_REMOVE, "removed");
	removed = order.removed;
	if (!removed)
		fire(&order, EVENT_REMOVE, &remove);
	return return_order(fcinfo, &order, removed ? "noop" : "applied", "remove_order", NULL, &hash);
}

PG_FUNCTION_INFO_V1(order_ext_remove_order);
Datum
order_ext_remove_order(PG_FUNCTION_ARGS)
{
	return api_call(fcinfo, remove_order_body);
}

/*
 * adjust_stock.c
 *		adjust_stock, set_stock and stock_level.
 */
#include "compat.h"

#include "utils/builtins.h"

#include "api/cart.h"
#include "api/product.h"
#include "api/reserved_units.h"
#include "core/args.h"
#include "core/call.h"
#include "core/error_facts.h"
#include "core/jsonb_build.h"
#include "core/request.h"
#include "machine/stock/stock.h"

static Datum
return_stock_level(FunctionCallInfo fcinfo, StockLevel level)
{
	Datum		values[3];
	bool		nulls[3] = {false, false, false};

	values[0] = Int64GetDatum(level.available);
	values[1] = Int64GetDatum(level.reserved);
	values[2] = Int64GetDatum(level.consumed);
	return call_return_row(fcinfo, values, nulls);
}

static Jsonb *
level_to_jsonb(StockLevel level)
{
	JsonbBuilder *detail = jsonb_object_begin();

	jsonb_add_int(detail, "available", level.available);
	jsonb_add_int(detail, "reserved", level.reserved);
	jsonb_add_int(detail, "consumed", level.consumed);
	return jsonb_object_end(detail);
}

static StockLevel
level_from_jsonb(Jsonb *detail)
{
	StockLevel	level;

	level.available = jsonb_get_int(detail, "available");
	level.reserved = jsonb_get_int(detail, "reserved");
	level.consumed = jsonb_get_int(detail, "consumed");
	return level;
}

typedef struct StockChange
{
	char	   *sku;
	int64		delta;			/* of set_stock, the level */
	char	   *reason;
	bool		reserved;
} StockChange;

/* The level is passed in the result's detail, from which a repeated request is answered. */
static void
answer(CallResult *result, StockLevel level)
{
	result->id_is_null = true;
	result->detail = level_to_jsonb(level);
}

static void
adjust_once(void *arg, const RequestKey *key, CallResult *result)
{
	const StockChange *change = arg;
	int64		product_id = product_id_of_sku(change->sku);

	if (change->reserved)
		reserved_units_free(product_id, change->sku, -change->delta, change->reason);
	answer(result, stock_adjust(product_id, change->sku, change->delta, change->reason,
								GetCurrentTimestamp()));
}

/*
 * The available stock is the default, and was once all that could be adjusted: a request for it
 * is what it was then, without the bucket.
 */
static void
adjust_available(FunctionCallInfo fcinfo, StockChange *change, CallResult *result)
{
	LOCAL_FCINFO(before, 4);

	InitFunctionCallInfoData(*before, fcinfo->flinfo, 4, fcinfo->fncollation, NULL, NULL);
	memcpy(before->args, fcinfo->args, sizeof(NullableDatum) * 4);
	request_run(before, "adjust_stock", 3, adjust_once, change, result);
}

static Datum
adjust_stock_body(FunctionCallInfo fcinfo)
{
	static const char *const buckets[] = {"available", "reserved", NULL};
	StockChange change;
	CallResult	result;

	change.sku = arg_text(fcinfo, 0, "sku", MAX_SKU_CHARS);
	change.reason = arg_text_or_null(fcinfo, 2, "reason", MAX_REASON_CHARS);
	arg_not_null(fcinfo, 1, "delta");
	change.delta = PG_GETARG_INT64(1);
	change.reserved = arg_word(fcinfo, 4, "bucket", buckets) == 1;
	if (change.delta == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"delta\" must not be zero"),
				 error_facts(NULL, FACT_TEXT("argument", "delta")),
				 errhint("Use stock_level to read the stock.")));
	if (change.reserved && (change.delta > 0 || change.delta == PG_INT64_MIN))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"delta\" must be negative for the bucket \"reserved\""),
				 error_facts("Units are reserved by orders; they can only be written off here.",
							 FACT_TEXT("argument", "delta"), FACT_INT("value", change.delta)),
				 errhint("Add units to the bucket \"available\".")));
	if (change.reserved)
		request_run(fcinfo, "adjust_stock", 3, adjust_once, &change, &result);
	else
		adjust_available(fcinfo, &change, &result);
	return return_stock_level(fcinfo, level_from_jsonb(result.detail));
}

PG_FUNCTION_INFO_V1(order_ext_adjust_stock);
Datum
order_ext_adjust_stock(PG_FUNCTION_ARGS)
{
	return api_call(fcinfo, adjust_stock_body);
}

static void
set_once(void *arg, const RequestKey *key, CallResult *result)
{
	const StockChange *change = arg;

	answer(result, stock_set(product_id_of_sku(change->sku), change->delta, change->reason,
							 GetCurrentTimestamp()));
}

static Datum
set_stock_body(FunctionCallInfo fcinfo)
{
	StockChange change;
	CallResult	result;

	change.sku = arg_text(fcinfo, 0, "sku", MAX_SKU_CHARS);
	change.delta = arg_amount(fcinfo, 1, "available");
	change.reason = arg_text_or_null(fcinfo, 2, "reason", MAX_REASON_CHARS);
	request_run(fcinfo, "set_stock", 3, set_once, &change, &result);
	return return_stock_level(fcinfo, level_from_jsonb(result.detail));
}

PG_FUNCTION_INFO_V1(order_ext_set_stock);
Datum
order_ext_set_stock(PG_FUNCTION_ARGS)
{
	return api_call(fcinfo, set_stock_body);
}

static Datum
stock_level_body(FunctionCallInfo fcinfo)
{
	char	   *sku = arg_text(fcinfo, 0, "sku", MAX_SKU_CHARS);

	return return_stock_level(fcinfo, stock_level(product_id_of_sku(sku)));
}

PG_FUNCTION_INFO_V1(order_ext_stock_level);
Datum
order_ext_stock_level(PG_FUNCTION_ARGS)
{
	return api_read(fcinfo, stock_level_body);
}

/*
 * create_order.c
 *		quote_order and create_order.
 *
 * A new order is created all or nothing: arguments, replay, risk check, products and amounts, the
 * client's amount, then the order row, its stock, its coupon, its timer.
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#include "api/cart.h"
#include "api/price_hook.h"
#include "api/risk.h"
#include "core/args.h"
#include "core/call.h"
#include "core/error_facts.h"
#include "core/errors.h"
#include "core/ids.h"
#include "core/interval.h"
#include "core/jsonb_build.h"
#include "core/request.h"
#include "core/settings.h"
#include "core/spi_util.h"
#include "machine/order/coupon.h"
#include "machine/order/lines.h"
#include "machine/order/order.h"
#include "machine/order/pay.h"
#include "machine/payment/payment.h"
#include "machine/stock/stock.h"

#define MAX_PAY_TIMEOUT_DAYS (100 * DAYS_PER_YEAR)
#define MAX_ID_TRIES 100

/* If there is nothing to pay, the order is paid at once by a payment of this type. */
#define PAY_TYPE_NONE "none"

static SavedPlan find_external_id = SAVED_PLAN(
	"SELECT FROM order_ext_internal.orders WHERE external_id = $1"
	" UNION ALL SELECT FROM order_ext_archive.known WHERE external_id = $1",
	TEXTOID);

/* ---- shared ---- */

static int64
arg_coupon(FunctionCallInfo fcinfo, int n)
{
	return PG_ARGISNULL(n) ? 0 : arg_id(fcinfo, n, "coupon_id");
}

static void
raise_coupon_taken(int64 coupon_id)
{
	ereport(ERROR,
			(errcode(ERRCODE_OE_COUPON_TAKEN),
			 errmsg("coupon " INT64_FORMAT " is already in use", coupon_id),
			 error_facts("It is locked or used by another order.", FACT_ID("coupon_id", coupon_id)),
			 errhint("Use another coupon or none.")));
}

/* ---- quote_order ---- */

static Jsonb *
quote_items(const Cart *cart)
{
	JsonbBuilder *items = jsonb_array_begin();
	int			i;

	for (i = 0; i < cart->n; i++)
	{
		const OrderLine *line = &cart->lines[i];
		JsonbBuilder *item = jsonb_object_begin();

		jsonb_add_int(item, "line", line->line);
		jsonb_add_text(item, "sku", line->sku);
		jsonb_add_int(item, "quantity", line->quantity);
		jsonb_add_int(item, "price", line->price);
		jsonb_add_int(item, "discount", line->discount);
		jsonb_add_int(item, "pay", line->pay);
		if (line->attributes != NULL)
			jsonb_add_jsonb(item, "attributes", line->attributes);
		jsonb_array_add(items, item);
	}
	return jsonb_array_end(items);
}

static Datum
quote_order_body(FunctionCallInfo fcinfo)
{
	int64		user_id = arg_id(fcinfo, 0, "user_id");
	Jsonb	   *items = arg_jsonb(fcinfo, 1, "items", setting_max_payload);
	int64		coupon_id = arg_coupon(fcinfo, 2);
	Jsonb	   *options = arg_jsonb(fcinfo, 3, "options", setting_max_payload);
	Cart	   *cart = cart_parse(items, options);
	GuestFunction price_hook = {.kind = &price_hook_kind};
	Coupon		coupon;
	JsonbBuilder *quote;

	guest_functions_read(&price_hook, 1);
	cart_price(cart);
	price_hook_apply(&price_hook, cart, user_id, coupon_id);
	if (coupon_id != 0)
		cart_apply_coupon(cart, coupon_id, user_id, GetCurrentTimestamp(), &coupon);
	cart_add_freight(cart);
	if (coupon_id != 0 && coupon.status != COUPON_UNUSED)
		raise_coupon_taken(coupon_id);
	quote = jsonb_object_begin();
	jsonb_add_int(quote, "origin", cart->origin);
	jsonb_add_int(quote, "discount", cart->discount);
	jsonb_add_int(quote, "freight", cart->freight);
	jsonb_add_int(quote, "pay_amount", cart->pay_amount);
	jsonb_add_text(quote, "currency", cart->options.currency);
	jsonb_add_jsonb(quote, "items", quote_items(cart));
	return call_return_jsonb(jsonb_object_end(quote));
}

PG_FUNCTION_INFO_V1(order_ext_quote_order);
Datum
order_ext_quote_order(PG_FUNCTION_ARGS)
{
	return api_read(fcinfo, quote_order_body);
}

/* ---- create_order ---- */

typedef struct CreateRequest
{
	int64		user_id;
	Jsonb	   *items;
	int64		pay_amount;
	int64		coupon_id;
	Interval   *pay_timeout;	/* NULL: the setting */
	Cart	   *cart;
} CreateRequest;

static void
raise_timeout_not_positive(Interval *timeout)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("argument \"pay_timeout\" must be positive"),
			 error_facts("The value is {value}.",
						 FACT_TEXT("argument", "pay_timeout"),
						 FACT_TEXT("value", interval_shown(timeout))),
			 errhint("Pass a longer interval, or NULL for order_ext.pay_timeout.")));
}

/* Validate the interval: positive, and short enough for arithmetic on it to be safe. */
static Interval *
arg_pay_timeout(FunctionCallInfo fcinfo, int n)
{
	Interval   *timeout;
	double		days;

	if (PG_ARGISNULL(n))
		return NULL;
	timeout = PG_GETARG_INTERVAL_P(n);
	days = interval_usecs(timeout) / USECS_PER_DAY;
	if (days > MAX_PAY_TIMEOUT_DAYS)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("argument \"pay_timeout\" is too long"),
				 error_facts("At most 100 years are allowed.",
							 FACT_TEXT("argument", "pay_timeout"),
							 FACT_INT("max_days", MAX_PAY_TIMEOUT_DAYS)),
				 errhint("Pass a shorter interval, or NULL for order_ext.pay_timeout.")));
	if (days <= 0)
		raise_timeout_not_positive(timeout);
	return timeout;
}

/* The length of a month depends on the calendar, so only the deadline itself can be checked. */
static TimestampTz
deadline(TimestampTz created_at, Interval *timeout)
{
	TimestampTz expire_at;

	if (timeout == NULL)
		return created_at + (int64) setting_pay_timeout * USECS_PER_SEC;
	expire_at = DatumGetTimestampTz(DirectFunctionCall2(timestamptz_pl_interval,
														TimestampTzGetDatum(created_at),
														IntervalPGetDatum(timeout)));
	if (expire_at <= created_at)
		raise_timeout_not_positive(timeout);
	return expire_at;
}

static void
read_create_request(FunctionCallInfo fcinfo, CreateRequest *request)
{
	request->user_id = arg_id(fcinfo, 0, "user_id");
	request->items = arg_jsonb(fcinfo, 1, "items", setting_max_payload);
	request->pay_amount = arg_amount(fcinfo, 2, "pay_amount");
	request->coupon_id = arg_coupon(fcinfo, 3);
	request->pay_timeout = arg_pay_timeout(fcinfo, 4);
	request->cart = cart_parse(request->items,
							   arg_jsonb(fcinfo, 6, "options", setting_max_payload));
}

static void
check_external_id(const char *external_id)
{
	Datum		values[1];

	if (external_id == NULL)
		return;
	values[0] = CStringGetTextDatum(external_id);
	if (plan_query(&find_external_id, values, NULL, 1) > 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNIQUE_VIOLATION),
				 errmsg("an order with external_id \"%s\" already exists", external_id),
				 error_facts("An external_id must be unique among all orders in this database.",
							 FACT_TEXT("external_id", external_id)),
				 errhint("find_order returns its ID; to repeat a call safely, use a request_id.")));
}

/* Price the cart and compare it with what the client expects to pay. */
static void
agree_on_price(CreateRequest *request, const GuestFunction *price_hook, Coupon *coupon)
{
	Cart	   *cart = request->cart;

	cart_price(cart);
	price_hook_apply(price_hook, cart, request->user_id, request->coupon_id);
	if (request->coupon_id != 0)
		cart_apply_coupon(cart, request->coupon_id, request->user_id,
						  GetCurrentTimestamp(), coupon);
	cart_add_freight(cart);
	if (cart->pay_amount != request->pay_amount)
		ereport(ERROR,
				(errcode(ERRCODE_OE_PRICE_DIFFERS),
				 errmsg("pay_amount does not match the price of the order"),
				 error_facts("The order costs {expected} (goods {origin}, discount {discount}, "
							 "freight {freight}), but the client expects {pay_amount}.",
							 FACT_INT("expected", cart->pay_amount),
							 FACT_INT("pay_amount", request->pay_amount),
							 FACT_INT("origin", cart->origin),
							 FACT_INT("discount", cart->discount),
							 FACT_INT("freight", cart->freight),
							 FACT_TEXT("currency", cart->options.currency)),
				 errhint("Show the buyer the new price (quote_order) and ask again.")));
}

/* Insert the order row under an id that is free. */
static void
insert_order_row(Journal *journal, CreateRequest *request, const RequestKey *key,
				 NewOrder *new_order)
{
	Cart	   *cart = request->cart;
	Order	   *order = &new_order->order;
	JsonbBuilder *detail = jsonb_object_begin();
	Jsonb	   *log_detail;
	int			tries;

	order->user_id = request->user_id;
	order->pay_amount = cart->pay_amount;
	order->coupon_id = request->coupon_id;
	order->currency = pstrdup(cart->options.currency);
	new_order->created_at = journal_time(journal);
	order->expire_at = deadline(new_order->created_at, request->pay_timeout);
	order->origin_amount = cart->origin;
	order->discount_amount = cart->discount;
	order->freight_amount = cart->freight;
	order->external_id = cart->options.external_id;
	order->options = JsonbPGetDatum(cart->options.all);

	jsonb_add_int(detail, "pay_amount", order->pay_amount);
	if (key->request_id != NULL)
		jsonb_add_text(detail, "request_id", key->request_id);
	log_detail = jsonb_object_end(detail);
	for (tries = 0; tries < MAX_ID_TRIES; tries++)
	{
		order->order_id = id_next_order(order->user_id, new_order->created_at);
		if (order_create(journal, new_order, log_detail))
			return;
	}
	elog(ERROR, "could not find a free order ID in %d tries", MAX_ID_TRIES);
}

/* If there is nothing to pay, the order is paid at once by a payment of zero. */
static void
pay_nothing(Journal *journal, Order *order)
{
	Capture		capture = {0};
	OrderPaidBy paid_by;

	capture.order_id = order->order_id;
	capture.paid_at = journal_time(journal);
	capture.pay_type = PAY_TYPE_NONE;
	capture.out_trade_no = psprintf(INT64_FORMAT, order->order_id);
	capture.currency = order->currency;
	paid_by.payment_id = payment_capture(journal, NULL, &capture, PURPOSE_APPLIED, ACTOR_BUYER);
	paid_by.pay_type = capture.pay_type;
	paid_by.out_trade_no = capture.out_trade_no;
	order_pay(journal, order, &paid_by, ACTOR_BUYER, NULL);
}

static Jsonb *
created_detail(const NewOrder *new_order)
{
	JsonbBuilder *detail = jsonb_object_begin();

	jsonb_add_id(detail, "order_id", new_order->order.order_id);
	jsonb_add_int(detail, "pay_amount", new_order->order.pay_amount);
	jsonb_add_int(detail, "origin", new_order->order.origin_amount);
	jsonb_add_int(detail, "discount", new_order->order.discount_amount);
	jsonb_add_int(detail, "freight", new_order->order.freight_amount);
	jsonb_add_text(detail, "currency", new_order->order.currency);
	jsonb_add_timestamptz(detail, "expire_at", new_order->order.expire_at);
	return jsonb_object_end(detail);
}

/* The writing part: the order, its stock, its coupon, its payment or its timer. */
static void
place_order(CreateRequest *request, const RequestKey *key, NewOrder *new_order)
{
	Journal    *journal = journal_begin(GetCurrentTimestamp());
	Order	   *order = &new_order->order;
	Cart	   *cart = request->cart;
	StockDemand *demands;
	int			n_demands;

	insert_order_row(journal, request, key, new_order);
	demands = order_lines_demands(cart->lines, cart->n, &n_demands);
	stock_reserve(order->order_id, demands, n_demands, journal_time(journal));
	order_lines_create(order->order_id, cart->lines, cart->n);
	/* its availability was only read before; its lock and its row decide */
	if (order->coupon_id != 0)
		coupon_lock(journal, order->coupon_id, order->order_id);
	if (order->pay_amount == 0)
		pay_nothing(journal, order);
	else
		(void) timer_arm(TOPIC_ORDER_PAY_TIMEOUT, order->order_id, order->expire_at,
						 ORDER_CREATED,
						 jsonb_object_end(journal_payload(order->order_id, order->user_id,
														  order->version)));
	journal_write(journal);
}

static void
create_once(void *arg, const RequestKey *key, CallResult *result)
{
	CreateRequest *request = arg;
	NewOrder	new_order = {0};
	Coupon		coupon = {0};
	GuestFunction guests[] = {{.kind = &risk_kind}, {.kind = &price_hook_kind}};

	check_external_id(request->cart->options.external_id);
	guest_functions_read(guests, lengthof(guests));
	risk_check(&guests[0], request->user_id, request->items, request->pay_amount,
			   request->coupon_id, request->cart->options.all);
	agree_on_price(request, &guests[1], &coupon);
	place_order(request, key, &new_order);

	order_result(result, new_order.order.order_id, &new_order.order);
	result->disposition = "applied";
	result->detail = created_detail(&new_order);
}

static Datum
create_order_body(FunctionCallInfo fcinfo)
{
	CreateRequest request = {0};

	read_create_request(fcinfo, &request);
	return request_call(fcinfo, "create_order", 5, create_once, &request);
}

PG_FUNCTION_INFO_V1(order_ext_create_order);
Datum
order_ext_create_order(PG_FUNCTION_ARGS)
{
	return api_call(fcinfo, create_order_body);
}

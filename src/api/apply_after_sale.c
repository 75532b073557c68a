/*
 * apply_after_sale.c
 *		calculate_refund, apply_after_sale, report_shortage and refund_order: what is returned of
 *		an order.
 *
 * All price their lines by the same formula: machine/after_sale/entitlement.h.
 */
#include "compat.h"

#include "api/after_sale_result.h"
#include "api/lines.h"
#include "api/way_back.h"
#include "core/args.h"
#include "core/error_facts.h"
#include "core/errors.h"
#include "core/jsonb_build.h"
#include "core/locks.h"
#include "core/request.h"
#include "core/settings.h"
#include "machine/after_sale/goodwill.h"
#include "machine/refund/refund.h"

static const char *const type_words[] = {"refund_only", "return_refund", NULL};

/* OE101 if a line is of virtual goods, which cannot be sent back or lost. */
static void
check_not_virtual(const Entitlement *entitlement, const GoodsBack *goods)
{
	int			i;

	for (i = 0; i < goods->n; i++)
	{
		const EntitledLine *line = entitlement_of(entitlement, goods->items[i].line);

		if (line->kind == KIND_VIRTUAL)
			ereport(ERROR,
					(errcode(ERRCODE_OE_WRONG_STATUS),
					 errmsg("\"%s\" cannot be returned", line->sku),
					 error_facts("It is a virtual product.",
								 FACT_TEXT("reason", "virtual"), FACT_TEXT("sku", line->sku)),
					 errhint("%s", way_back_of_money(entitlement->order_id))));
	}
}

/* ---- calculate_refund ---- */

static Datum
calculate_refund_body(FunctionCallInfo fcinfo)
{
	int64		order_id = arg_id(fcinfo, 0, "order_id");
	Lines	   *lines = lines_parse(arg_jsonb(fcinfo, 1, "lines", setting_max_payload),
									"lines", LINES_OF_ORDER);
	Entitlement *entitlement;
	GoodsBack  *goods;
	JsonbBuilder *answer = jsonb_object_begin();
	Order		order;

	order_read_or_fail(order_id, &order);
	entitlement = entitlement_read(order_id, 0);
	goods = lines_to_goods(lines, entitlement);
	entitlement_price(entitlement, goods);
	jsonb_add_int(answer, "amount", goods->amount);
	jsonb_add_int(answer, "freight", goods->freight);
	jsonb_add_jsonb(answer, "lines", entitlement_lines(entitlement, goods));
	return call_return_jsonb(jsonb_object_end(answer));
}

PG_FUNCTION_INFO_V1(order_ext_calculate_refund);
Datum
order_ext_calculate_refund(PG_FUNCTION_ARGS)
{
	return api_call(fcinfo, calculate_refund_body);
}

/* ---- apply_after_sale ---- */

/* The order was signed or refused, and not too long ago. */
static void
check_may_apply(const Order *order)
{
	if (order->status != ORDER_SIGNED && order->status != ORDER_REFUSED)
		ereport(ERROR,
				(errcode(ERRCODE_OE_WRONG_STATUS),
				 errmsg("cannot apply for an after-sale of order " INT64_FORMAT, order->order_id),
				 error_facts("Its status is \"{status}\".",
							 FACT_ID("order_id", order->order_id),
							 FACT_TEXT("status",
									   machine_status_name(MACHINE_ORDER, order->status))),
				 errhint("%s", way_back_instead_of_return(order))));
	if (!after_sale_in_time(order->order_id))
		ereport(ERROR,
				(errcode(ERRCODE_OE_WRONG_STATUS),
				 errmsg("the after-sale period of order " INT64_FORMAT " has ended",
						order->order_id),
				 error_facts("Its length is set by order_ext.after_sale_window.",
							 FACT_TEXT("reason", "after_sale_window"),
							 FACT_ID("order_id", order->order_id),
							 FACT_TEXT("status",
									   machine_status_name(MACHINE_ORDER, order->status))),
				 errhint("%s", way_back_instead_of_return(order))));
}

static Jsonb *
goods_detail(const AfterSale *after_sale, const Entitlement *entitlement, const GoodsBack *goods)
{
	JsonbBuilder *detail = after_sale_detail(after_sale);

	jsonb_add_jsonb(detail, "lines", entitlement_lines(entitlement, goods));
	return jsonb_object_end(detail);
}

/* What is to be returned, and of which order; user, type and reason of an application. */
typedef struct BackRequest
{
	int64		order_id;
	int64		user_id;
	AfterSaleType type;
	Lines	   *lines;
	char	   *reason;
} BackRequest;

/* The goods of the request's lines, priced, and what is left of the order. */
static GoodsBack *
price_lines(const BackRequest *request, Entitlement **entitlement)
{
	GoodsBack  *goods;

	*entitlement = entitlement_read(request->order_id, 0);
	goods = lines_to_goods(request->lines, *entitlement);
	check_not_virtual(*entitlement, goods);
	entitlement_price(*entitlement, goods);
	return goods;
}

static void
apply_once(void *arg, const RequestKey *key, CallResult *result)
{
	const BackRequest *request = arg;
	Entitlement *entitlement;
	GoodsBack  *goods;
	AfterSale	after_sale;
	Journal    *journal;
	Order		order;

	lock_wait(LOCK_REFUND, request->order_id);
	order_read_or_fail(request->order_id, &order);
	order_check_owner(&order, request->user_id, "Pass the user_id of its owner.");
	check_may_apply(&order);
	goods = price_lines(request, &entitlement);

	journal = journal_begin(GetCurrentTimestamp());
	after_sale_apply(journal, &order, request->type, goods, request->reason, &after_sale);
	journal_write(journal);
	after_sale_result(result, &after_sale, "applied",
					  goods_detail(&after_sale, entitlement, goods));
}

static Datum
apply_after_sale_body(FunctionCallInfo fcinfo)
{
	BackRequest request;

	request.order_id = arg_id(fcinfo, 0, "order_id");
	request.user_id = arg_id(fcinfo, 1, "user_id");
	request.type = AFTER_SALE_REFUND_ONLY + arg_word(fcinfo, 2, "type", type_words);
	request.lines = lines_parse(arg_jsonb(fcinfo, 3, "lines", setting_max_payload), "lines",
								LINES_OF_ORDER);
	request.reason = arg_text_or_null(fcinfo, 4, "reason", MAX_REASON_CHARS);
	return request_call(fcinfo, "apply_after_sale", 5, apply_once, &request);
}

PG_FUNCTION_INFO_V1(order_ext_apply_after_sale);
Datum
order_ext_apply_after_sale(PG_FUNCTION_ARGS)
{
	return api_call(fcinfo, apply_after_sale_body);
}

/* ---- report_shortage ---- */

static void
check_may_be_short(const Order *order)
{
	if (order->status != ORDER_OUT_STOCK)
		ereport(ERROR,
				(errcode(ERRCODE_OE_WRONG_STATUS),
				 errmsg("cannot report a shortage for order " INT64_FORMAT, order->order_id),
				 error_facts("Its status is \"{status}\".",
							 FACT_ID("order_id", order->order_id),
							 FACT_TEXT("status",
									   machine_status_name(MACHINE_ORDER, order->status))),
				 errhint("A shortage can be reported only while the status is \"out_stock\"; "
						 "allowed_actions shows what can be done with it now.")));
}

static void
shortage_once(void *arg, const RequestKey *key, CallResult *result)
{
	const BackRequest *request = arg;
	Entitlement *entitlement;
	GoodsBack  *goods;
	AfterSale	after_sale;
	Journal    *journal;
	Order		order;

	/* the parcel must not proceed meanwhile */
	lock_wait(LOCK_ORDER_CANCEL, request->order_id);
	lock_wait(LOCK_REFUND, request->order_id);
	order_read_or_fail(request->order_id, &order);
	check_may_be_short(&order);
	goods = price_lines(request, &entitlement);

	journal = journal_begin(GetCurrentTimestamp());
	after_sale_shortage(journal, &order, goods, &after_sale);
	journal_write(journal);
	order_result(result, order.order_id, &order);
	result->disposition = "applied";
	result->detail = goods_detail(&after_sale, entitlement, goods);
}

static Datum
report_shortage_body(FunctionCallInfo fcinfo)
{
	BackRequest request = {0};

	request.order_id = arg_id(fcinfo, 0, "order_id");
	request.lines = lines_parse(arg_jsonb(fcinfo, 1, "lines", setting_max_payload), "lines",
								LINES_OF_ORDER);
	return request_call(fcinfo, "report_shortage", 2, shortage_once, &request);
}

PG_FUNCTION_INFO_V1(order_ext_report_shortage);
Datum
order_ext_report_shortage(PG_FUNCTION_ARGS)
{
	return api_call(fcinfo, report_shortage_body);
}

/* ---- refund_order ---- */

typedef struct GoodwillRequest
{
	int64		order_id;
	int64		amount;			/* 0: not given */
	Lines	   *lines;			/* or NULL */
	bool		freight;
	char	   *reason;
} GoodwillRequest;

/* What the request is worth, without looking at what is left; all that is left: 0. */
static GoodsBack *
goodwill_goods(const GoodwillRequest *request, const Entitlement *entitlement)
{
	GoodsBack  *goods = palloc0(sizeof(GoodsBack));

	if (request->lines != NULL)
	{
		goods = lines_to_goods(request->lines, entitlement);
		entitlement_value(entitlement, goods);
	}
	if (request->freight)
	{
		goods->freight = Max(entitlement->freight - entitlement->freight_given, 0);
		goods->amount += goods->freight;
	}
	return goods;
}

static void
check_paid(const Order *order, const Entitlement *entitlement)
{
	if (!entitlement->paid)
		ereport(ERROR,
				(errcode(ERRCODE_OE_WRONG_STATUS),
				 errmsg("order " INT64_FORMAT " has not been paid", order->order_id),
				 error_facts("Its status is \"{status}\".",
							 FACT_ID("order_id", order->order_id),
							 FACT_TEXT("status",
									   machine_status_name(MACHINE_ORDER, order->status))),
				 errhint("%s", way_back_of_money(order->order_id))));
}

static void
check_left(const Order *order, const Entitlement *entitlement, int64 amount)
{
	const MoneyLeft *money = &entitlement->money;

	if (amount > 0 && amount <= money->left)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_OE_QUANTITY_EXCEEDS),
			 amount > 0
			 ? errmsg("refund exceeds what is left of order " INT64_FORMAT, order->order_id)
			 : errmsg("there is nothing to refund of order " INT64_FORMAT, order->order_id),
			 error_facts("{left} {currency} is left of {paid} that was paid.",
						 FACT_ID("order_id", order->order_id),
						 FACT_INT("left", Max(money->left, 0)),
						 FACT_INT("paid", money->paid), FACT_TEXT("currency", order->currency)),
			 errhint("%s", way_back_of_less(order->order_id, money->payment_id, 0))));
}

static Jsonb *
goodwill_detail(const AfterSale *after_sale, const Entitlement *entitlement,
				const GoodsBack *goods, const Refund *refund)
{
	JsonbBuilder *detail = after_sale_detail(after_sale);

	jsonb_add_id(detail, "refund_id", refund->refund_id);
	jsonb_add_id(detail, "payment_id", refund->payment_id);
	jsonb_add_text(detail, "currency", refund->currency);
	jsonb_add_int(detail, "left", entitlement->money.left - after_sale->amount);
	if (goods->n > 0)
		jsonb_add_jsonb(detail, "lines", entitlement_lines(entitlement, goods));
	return jsonb_object_end(detail);
}

static void
refund_once(void *arg, const RequestKey *key, CallResult *result)
{
	const GoodwillRequest *request = arg;
	Entitlement *entitlement;
	GoodsBack  *goods;
	int64		extra = request->amount;
	AfterSale	after_sale;
	Refund		refund;
	Journal    *journal;
	Order		order;

	lock_wait(LOCK_REFUND, request->order_id);
	order_read_or_fail(request->order_id, &order);
	entitlement = entitlement_read(request->order_id, 0);
	check_paid(&order, entitlement);
	goods = goodwill_goods(request, entitlement);
	if (request->lines == NULL && !request->freight && request->amount == 0)
	{
		goods->whole = true;
		extra = entitlement->money.left;
	}
	check_left(&order, entitlement, goods->amount + extra);

	journal = journal_begin(GetCurrentTimestamp());
	refund_read_or_fail(goodwill_refund(journal, &order, goods, extra, request->reason,
										&after_sale), &refund);
	journal_write(journal);
	result->id = refund.refund_id;
	result->status = machine_status_name(MACHINE_REFUND, refund.status);
	result->version = refund.version;
	result->disposition = "applied";
	result->detail = goodwill_detail(&after_sale, entitlement, goods, &refund);
}

static Datum
refund_order_body(FunctionCallInfo fcinfo)
{
	GoodwillRequest request = {0};

	request.order_id = arg_id(fcinfo, 0, "order_id");
	if (!PG_ARGISNULL(1))
		request.amount = arg_id(fcinfo, 1, "amount");
	if (!PG_ARGISNULL(2))
		request.lines = lines_parse(arg_jsonb(fcinfo, 2, "lines", setting_max_payload), "lines",
									LINES_OF_ORDER);
	arg_not_null(fcinfo, 3, "freight");
	request.freight = PG_GETARG_BOOL(3);
	request.reason = arg_text_or_null(fcinfo, 4, "reason", MAX_REASON_CHARS);
	if (request.amount != 0 && (request.lines != NULL || request.freight))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"amount\" excludes \"lines\" and \"freight\""),
				 error_facts(NULL, FACT_TEXT("argument", "amount")),
				 errhint("Pass an amount, or the lines and freight to refund; none of them for all "
						 "that is left.")));
	return request_call(fcinfo, "refund_order", 5, refund_once, &request);
}

PG_FUNCTION_INFO_V1(order_ext_refund_order);
Datum
order_ext_refund_order(PG_FUNCTION_ARGS)
{
	return api_call(fcinfo, refund_order_body);
}

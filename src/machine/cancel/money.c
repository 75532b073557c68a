/*
 * money.c
 *		The money of canceled orders of which nothing was paid back before; see money.h.
 *
 * That is nearly every one of them. Nothing has to be computed then, and its rows are written by
 * their keys. The statements for all other orders add up what was given back before; what they do
 * and what is done here must agree.
 */
#include "compat.h"

#include "utils/builtins.h"

#include "core/ids.h"
#include "core/jsonb_build.h"
#include "core/row.h"
#include "machine/after_sale/after_sale.h"
#include "machine/cancel/money.h"
#include "machine/payment/money_left.h"
#include "machine/refund/request.h"

enum
{
	ORDERS_USER_ID,
	ORDERS_FREIGHT_AMOUNT,
	ORDERS_VERSION,
	ORDERS_STATUS,
	ORDERS_CANCEL_TYPE,
	ORDERS_REFUND_HOLD,
	ORDERS_EXTERNAL_ID
};

static RowTable orders = ROW_TABLE(
	"orders", "orders_pkey",
	"user_id", "freight_amount", "version", "status", "cancel_type", "refund_hold",
	"external_id");

enum
{
	LOG_TO_STATUS,
	LOG_DETAIL
};

static RowTable transitions = ROW_TABLE(
	"transition_log", "transition_log_pkey",
	"to_status", "detail");

enum
{
	PAYMENTS_ID,
	PAYMENTS_AMOUNT,
	PAYMENTS_STATUS,
	PAYMENTS_PURPOSE,
	PAYMENTS_PAY_TYPE,
	PAYMENTS_OUT_TRADE_NO,
	PAYMENTS_CURRENCY
};

static RowTable payments = ROW_TABLE(
	"payments", "payments_order_id",
	"payment_id", "amount", "status", "purpose", "pay_type", "out_trade_no", "currency");

enum
{
	ITEMS_PRODUCT_ID,
	ITEMS_PAY,
	ITEMS_DISCOUNT,
	ITEMS_QUANTITY,
	ITEMS_LINE
};

static RowTable items = ROW_TABLE(
	"order_items", "order_items_pkey",
	"product_id", "pay", "discount", "quantity", "line");

enum
{
	REFUNDS_ID,
	REFUNDS_ORDER_ID,
	REFUNDS_PAYMENT_ID,
	REFUNDS_AFTER_SALE_ID,
	REFUNDS_AMOUNT,
	REFUNDS_REQUESTED_AT,
	REFUNDS_VERSION,
	REFUNDS_ATTEMPT,
	REFUNDS_STATUS,
	REFUNDS_CAUSE,
	REFUNDS_HELD,
	REFUNDS_CURRENCY,
	REFUNDS_FACT_ID,
	REFUNDS_KEPT,
	REFUNDS_PAY_TYPE
};

static RowTable refunds = ROW_TABLE(
	"refunds", "refunds_once",
	"refund_id", "order_id", "payment_id", "after_sale_id", "amount", "requested_at", "version",
	"attempt", "status", "cause", "held", "currency", "fact_id", "kept",
	"pay_type");

/* An order whose money is paid back here. */
typedef struct Return
{
	AfterSale	after_sale;
	Refund		refund;
} Return;

/* ---- which orders ---- */

/* Whether nothing of the payment was refunded, by another transaction either. */
static bool
is_untouched(int64 payment_id)
{
	Rows	   *rows = rows_open(&refunds, ROWS_READ);
	Datum		key = Int64GetDatum(payment_id);
	bool		taken = rows_is_taken(rows, &key, 1);

	rows_close(rows);
	return !taken;
}

/* Find the order's only capture that is paid back with it; false if there is another. */
static bool
find_capture(int64 order_id, Refund *refund)
{
	Rows	   *rows = rows_open(&payments, ROWS_READ);
	Datum		key = Int64GetDatum(order_id);
	int			n = 0;
	bool		only_applied = true;
	bool		found;
	Row			row;

	for (found = rows_find(rows, &key, 1, &row); found; found = rows_next(rows, &row))
	{
		int16		purpose = row_get_int16_or(&row, PAYMENTS_PURPOSE, 0);

		if (row_get_int16(&row, PAYMENTS_STATUS) != PAYMENT_CAPTURED ||
			(purpose != PURPOSE_APPLIED && purpose != PURPOSE_HELD))
			continue;
		n++;
		only_applied &= purpose == PURPOSE_APPLIED;
		refund->payment_id = row_get_int64(&row, PAYMENTS_ID);
		refund->amount = row_get_int64(&row, PAYMENTS_AMOUNT);
		refund->pay_type = row_get_text(&row, PAYMENTS_PAY_TYPE);
		refund->out_trade_no = row_get_text(&row, PAYMENTS_OUT_TRADE_NO);
		refund->currency = row_get_text(&row, PAYMENTS_CURRENCY);
	}
	rows_close(rows);
	return n == 1 && only_applied && refund->amount > 0;
}

/* The reason that was given for the cancellation, or NULL. */
static char *
reason_of_cancel(int64 order_id, int32 version)
{
	Datum		keys[3];
	Row			row;

	keys[0] = Int64GetDatum(order_id);
	keys[1] = Int16GetDatum(MACHINE_ORDER);
	keys[2] = Int32GetDatum(version);
	if (!row_find(&transitions, keys, lengthof(keys), &row) ||
		row_get_int16(&row, LOG_TO_STATUS) != ORDER_CANCELED || row.nulls[LOG_DETAIL])
		return NULL;
	return jsonb_get_text(row_get_jsonb(&row, LOG_DETAIL), "reason");
}

static void
describe_cancel(AfterSale *after_sale, int16 cancel_type)
{
	after_sale->type = AFTER_SALE_REFUND_ONLY;
	after_sale->detail_type = cancel_type == CANCEL_BY_USER ? DETAIL_USER_CANCEL :
		cancel_type == CANCEL_BY_TIMEOUT ? DETAIL_TIMEOUT : DETAIL_STAFF_CANCEL;
	after_sale->source = cancel_type == CANCEL_BY_CUSTOMER_SERVICE ? SOURCE_CUSTOMER_SERVICE :
		SOURCE_SYSTEM;
	after_sale->reason_code = REASON_CANCEL;
	after_sale->return_status = NO_RETURN;
	after_sale->origin = AFTER_SALE_ORIGIN_CANCEL;
}

/* Fill in *back; false if the order is another's case. */
static bool
is_simple(int64 order_id, Return *back)
{
	AfterSale  *after_sale = &back->after_sale;
	Refund	   *refund = &back->refund;
	Datum		key = Int64GetDatum(order_id);
	Row			row;

	memset(back, 0, sizeof(Return));
	if (!row_find(&orders, &key, 1, &row) || row_get_int16(&row, ORDERS_STATUS) != ORDER_CANCELED ||
		!find_capture(order_id, refund) || !is_untouched(refund->payment_id) ||
		after_sale_exists(order_id))
		return false;
	after_sale->order_id = refund->order_id = order_id;
	after_sale->user_id = refund->user_id = row_get_int64(&row, ORDERS_USER_ID);
	after_sale->order_version = refund->order_version = row_get_int32(&row, ORDERS_VERSION);
	after_sale->amount = refund->amount;
	after_sale->freight = row_get_int64(&row, ORDERS_FREIGHT_AMOUNT);
	after_sale->reason = reason_of_cancel(order_id, after_sale->order_version);
	describe_cancel(after_sale, row_get_int16(&row, ORDERS_CANCEL_TYPE));
	refund->external_id = row_get_text(&row, ORDERS_EXTERNAL_ID);
	refund->held = row_get_bool(&row, ORDERS_REFUND_HOLD);
	refund->cause = CAUSE_CANCEL;
	refund->claim_after = DT_NOBEGIN;
	return true;
}

/* ---- paying it back ---- */

/* All lines, as far as the capture goes, then the freight, then what is more than these. */
static AfterSaleItem *
read_items(AfterSale *after_sale, int *n)
{
	Rows	   *rows = rows_open(&items, ROWS_READ);
	Datum		key = Int64GetDatum(after_sale->order_id);
	int64		rest = after_sale->amount;
	int			max = 8;
	AfterSaleItem *lines = palloc(sizeof(AfterSaleItem) * max);
	bool		found;
	Row			row;

	*n = 0;
	/* the index has them in the order of the lines */
	for (found = rows_find(rows, &key, 1, &row); found; found = rows_next(rows, &row))
	{
		AfterSaleItem *line;

		if (*n == max)
			lines = repalloc(lines, sizeof(AfterSaleItem) * (max *= 2));
		line = &lines[(*n)++];
		line->before = 0;
		line->product_id = row_get_int64(&row, ITEMS_PRODUCT_ID);
		line->amount = Min(row_get_int64(&row, ITEMS_PAY), rest);
		line->discount = row_get_int64(&row, ITEMS_DISCOUNT);
		line->quantity = row_get_int32(&row, ITEMS_QUANTITY);
		line->line = row_get_int32(&row, ITEMS_LINE);
		rest -= line->amount;
	}
	rows_close(rows);
	after_sale->freight = Min(rest, after_sale->freight);
	after_sale->extra = rest - after_sale->freight;
	return lines;
}

static void
open_after_sale(Journal *journal, AfterSale *after_sale, Jsonb *detail)
{
	int			n;
	AfterSaleItem *lines = read_items(after_sale, &n);

	(void) after_sale_create(journal, after_sale, lines, n, EVENT_AFTER_SALE_OPEN, ACTOR_SYSTEM,
							 detail);
}

static void
insert_refund(Journal *journal, Rows *rows, const Edge *edge, Refund *refund)
{
	Row			row;

	refund->refund_id = id_next("refund_id_seq");
	memset(row.nulls, true, sizeof(row.nulls));
	row_set(&row, REFUNDS_ID, Int64GetDatum(refund->refund_id));
	row_set(&row, REFUNDS_ORDER_ID, Int64GetDatum(refund->order_id));
	row_set(&row, REFUNDS_PAYMENT_ID, Int64GetDatum(refund->payment_id));
	row_set(&row, REFUNDS_AFTER_SALE_ID, Int64GetDatum(refund->after_sale_id));
	row_set(&row, REFUNDS_AMOUNT, Int64GetDatum(refund->amount));
	row_set(&row, REFUNDS_REQUESTED_AT, TimestampTzGetDatum(journal_time(journal)));
	row_set(&row, REFUNDS_VERSION, Int32GetDatum(1));
	row_set(&row, REFUNDS_ATTEMPT, Int32GetDatum(0));
	row_set(&row, REFUNDS_STATUS, Int16GetDatum(edge->to));
	row_set(&row, REFUNDS_CAUSE, Int16GetDatum(refund->cause));
	row_set(&row, REFUNDS_HELD, BoolGetDatum(refund->held));
	row_set(&row, REFUNDS_CURRENCY, CStringGetTextDatum(refund->currency));
	row_set(&row, REFUNDS_FACT_ID, Int64GetDatum(0));
	row_set(&row, REFUNDS_KEPT, BoolGetDatum(false));
	if (rows_have_column(rows, REFUNDS_PAY_TYPE))
		row_set(&row, REFUNDS_PAY_TYPE, CStringGetTextDatum(refund->pay_type));
	rows_insert(rows, row.values, row.nulls);
}

static void
pay_back(Journal *journal, Return *returns, int n)
{
	const Edge *edge = machine_edge(MACHINE_REFUND, STATUS_NONE, EVENT_REQUEST);
	JsonbBuilder *builder = jsonb_object_begin();
	Jsonb	   *detail;
	Rows	   *rows;
	int			i;

	jsonb_add_text(builder, "origin", AFTER_SALE_ORIGIN_CANCEL);
	detail = jsonb_object_end(builder);
	for (i = 0; i < n; i++)
		open_after_sale(journal, &returns[i].after_sale, detail);
	rows = rows_open(&refunds, ROWS_CHANGE);
	for (i = 0; i < n; i++)
	{
		returns[i].refund.after_sale_id = returns[i].after_sale.after_sale_id;
		insert_refund(journal, rows, edge, &returns[i].refund);
	}
	rows_close(rows);
	for (i = 0; i < n; i++)
		money_left_touch_payment(returns[i].refund.payment_id);
	for (i = 0; i < n; i++)
		refund_request_journal(journal, edge, &returns[i].refund, ACTOR_SYSTEM);
}

int
cancel_money_return(Journal *journal, const int64 *order_ids, int n, int64 *others)
{
	Return	   *returns = palloc(sizeof(Return) * Max(n, 1));
	int			n_returns = 0;
	int			n_others = 0;
	int			i;

	for (i = 0; i < n; i++)
	{
		if (is_simple(order_ids[i], &returns[n_returns]))
			n_returns++;
		else
			others[n_others++] = order_ids[i];
	}
	if (n_returns > 0)
		pay_back(journal, returns, n_returns);
	return n_others;
}

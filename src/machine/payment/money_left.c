/*
 * money_left.c
 *		What is left of captured money; see money_left.h.
 */
#include "compat.h"

#include "catalog/pg_type.h"

#include "core/errors.h"
#include "core/row.h"
#include "core/spi_util.h"
#include "machine/payment/money_left.h"

/*
 * What an after-sale still waits for: its amount less its refunds, those that staff keeps included,
 * and what was paid outside.
 */
static SavedPlan left_of_order = SAVED_PLAN(
	"SELECT p.payment_id, p.amount, rest.amount, rest.amount - coalesce((SELECT"
	"   sum(greatest(a.amount - a.paid_outside"
	"    - (SELECT coalesce(sum(coalesce(r.asked, r.amount)), 0)"
	"    FROM order_ext_internal.refunds r"
	"    WHERE r.order_id = a.order_id AND r.after_sale_id = a.after_sale_id"
	"     AND (r.status IN (" REFUNDS_NOT_WITHDRAWN ") OR r.kept)), 0))"
	"  FROM order_ext_internal.after_sales a"
	"  WHERE a.order_id = p.order_id AND a.after_sale_id <> $2"
	"   AND a.status NOT IN (" AFTER_SALES_GIVEN_UP ", " CODE(AFTER_SALE_REFUNDED) ")), 0)::bigint"
	" FROM order_ext_internal.payments p" LEFT_OF_PAYMENT
	" WHERE p.order_id = $1 AND p.status = " CODE(PAYMENT_CAPTURED)
	"  AND p.purpose = " CODE(PURPOSE_APPLIED),
	INT8OID, INT8OID);

static SavedPlan left_of_payment = SAVED_PLAN(
	"SELECT rest.amount FROM order_ext_internal.payments p" LEFT_OF_PAYMENT
	" WHERE p.payment_id = $1 AND p.status = " CODE(PAYMENT_CAPTURED),
	INT8OID);

static SavedPlan left_for_facts = SAVED_PLAN(
	"SELECT CASE WHEN p.purpose = " CODE(PURPOSE_DUPLICATE) " THEN 0 ELSE p.amount END"
	"  - (SELECT coalesce(sum(r.amount), 0)::bigint FROM order_ext_internal.refunds r"
	"   WHERE r.payment_id = p.payment_id"
	"    AND r.status IN (" CODES(REFUND_SUBMITTED, REFUND_SUCCEEDED) "))"
	" FROM order_ext_internal.payments p"
	" WHERE p.payment_id = $1 AND p.status = " CODE(PAYMENT_CAPTURED),
	INT8OID);

#define TOUCH_PAYMENTS "UPDATE order_ext_internal.payments p SET version = p.version"

static RowTable payments = ROW_TABLE("payments", "payments_pkey", "version");

static SavedPlan touch_orders = SAVED_PLAN(
	TOUCH_PAYMENTS " WHERE p.order_id = ANY ($1) AND p.status = " CODE(PAYMENT_CAPTURED)
	"  AND p.purpose IN (" PURPOSES_OF_ORDER ")",
	INT8ARRAYOID);

static SavedPlan touch_after_sale = SAVED_PLAN(
	TOUCH_PAYMENTS " FROM order_ext_internal.after_sales a"
	" WHERE a.after_sale_id = $1 AND p.order_id = a.order_id"
	"  AND p.status = " CODE(PAYMENT_CAPTURED) " AND p.purpose = " CODE(PURPOSE_APPLIED),
	INT8OID);

bool
money_left_of_order(int64 order_id, int64 without, MoneyLeft *money)
{
	Datum		values[2] = {Int64GetDatum(order_id), Int64GetDatum(without)};

	if (plan_query(&left_of_order, values, NULL, 1) == 0)
		return false;
	money->payment_id = row_int64(0, 1);
	money->paid = row_int64(0, 2);
	money->left = row_int64(0, 3);
	money->unclaimed = Max(row_int64(0, 4), 0);
	return true;
}

static int64
left(SavedPlan *plan, int64 payment_id)
{
	Datum		values[1] = {Int64GetDatum(payment_id)};

	return plan_query(plan, values, NULL, 1) > 0 ? row_int64(0, 1) : 0;
}

int64
money_left_of_payment(int64 payment_id)
{
	return left(&left_of_payment, payment_id);
}

int64
money_left_for_facts(int64 payment_id)
{
	return left(&left_for_facts, payment_id);
}

void
money_left_touch_payment(int64 payment_id)
{
	Rows	   *rows = rows_open(&payments, ROWS_CHANGE);
	Datum		key = Int64GetDatum(payment_id);
	Row			row;

	if (rows_find(rows, &key, 1, &row) && !rows_update(rows, &row))
		error_conflict("payment " INT64_FORMAT " was changed by another transaction", payment_id);
	rows_close(rows);
}

void
money_left_touch_orders(const int64 *order_ids, int n)
{
	Datum		values[1] = {int64_array(order_ids, n)};

	(void) plan_write(&touch_orders, values, NULL, 0);
}

void
money_left_touch_after_sale(int64 after_sale_id)
{
	Datum		values[1] = {Int64GetDatum(after_sale_id)};

	(void) plan_write(&touch_after_sale, values, NULL, 0);
}

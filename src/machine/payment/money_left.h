/*
 * money_left.h
 *		What is left of captured money: of a payment, and of an order. The one place that says so;
 *		every way on which money goes back asks here.
 *
 * Money leaves a payment by refunds only: those that the engine requests, those that were made
 * outside (record_refund) and what a lost dispute took (payment_disputed) are all rows of refunds.
 * Whoever reads what is left in order to write such a row holds the refund lock of the order, so
 * that all ways together never give back more than was captured.
 */
#ifndef ORDER_EXT_MACHINE_PAYMENT_MONEY_LEFT_H
#define ORDER_EXT_MACHINE_PAYMENT_MONEY_LEFT_H

#include "machine/base/machine.h"

/*
 * SQL: joins "rest", what is left of payment p. A failed refund counts as long as it can be
 * retried, that is, unless its after-sale was rejected, closed or revoked. Of a duplicate nothing
 * is left: its money is another payment's.
 */
#define LEFT_OF_PAYMENT \
	" CROSS JOIN LATERAL (SELECT CASE WHEN p.purpose = " CODE(PURPOSE_DUPLICATE) " THEN 0" \
	"   ELSE p.amount - coalesce(sum(r.amount), 0)::bigint END AS amount" \
	"   FROM order_ext_internal.refunds r" \
	"   LEFT JOIN order_ext_internal.after_sales s ON s.after_sale_id = r.after_sale_id" \
	"   WHERE r.payment_id = p.payment_id AND (r.status IN (" REFUNDS_LIVE ")" \
	"    OR (r.status = " CODE(REFUND_FAILED) \
	"     AND (s.status IS NULL OR s.status NOT IN (" AFTER_SALES_GIVEN_UP "))))) AS rest"

typedef struct MoneyLeft
{
	int64		payment_id;		/* the applied capture */
	int64		paid;			/* its amount */
	int64		left;			/* not refunded, nor being refunded */

	/* less what live after-sales wait for that have no refund yet */
	int64		unclaimed;
} MoneyLeft;

/*
 * What is left of the capture that paid an order; an after-sale (0: none) can be excluded. False
 * if the order was not paid. To be read in a new statement under the order's refund lock if
 * anything is to be changed.
 */
extern bool money_left_of_order(int64 order_id, int64 without, MoneyLeft *money);

/* What is left of a payment, whatever it was for. */
extern int64 money_left_of_payment(int64 payment_id);

/*
 * What a fact from outside can have taken from a payment: all but what has gone back and what
 * was claimed. Refunds that nobody has claimed give way to facts.
 */
extern int64 money_left_for_facts(int64 payment_id);

/*
 * To be called where money leaves a payment, the applied and held captures of orders, or that of
 * an after-sale's order: a transaction with an older snapshot that does the same fails with 40001.
 */
extern void money_left_touch_payment(int64 payment_id);
extern void money_left_touch_orders(const int64 *order_ids, int n);
extern void money_left_touch_after_sale(int64 after_sale_id);

#endif							/* ORDER_EXT_MACHINE_PAYMENT_MONEY_LEFT_H */

/*
 * refunds.c
 *		The checks of verify() about refunds and after-sales: I3, I4, I13, I15.
 */
#include "compat.h"

#include "api/verify/refunds.h"
#include "core/spelling.h"
#include "machine/after_sale/after_sale.h"
#include "machine/refund/refund.h"

/* ---- I3: never more refunded than captured ---- */

/* Money refunded after its after-sale had been given up is a warning, not an error. */
const char	verify_refunds_within_capture[] =
	"SELECT CASE WHEN p.status = " CODE(PAYMENT_CAPTURED) " AND r.live - r.given_up <= p.amount"
	" THEN 'warning' ELSE 'error' END,"
	" 'payment ' || r.payment_id,"
	" format('refunds of at most %s',"
	"  coalesce(CASE WHEN p.status = " CODE(PAYMENT_CAPTURED) " THEN p.amount END, 0)),"
	" format('refunds of %s', r.live)"
	" FROM (SELECT r.payment_id,"
	"   coalesce(sum(r.amount) FILTER (WHERE r.status IN (" REFUNDS_LIVE ")), 0) AS live,"
	"   coalesce(sum(r.amount) FILTER (WHERE r.status = " CODE(REFUND_SUCCEEDED)
	"    AND a.status IN (" AFTER_SALES_GIVEN_UP ")), 0) AS given_up"
	"  FROM order_ext_internal.refunds r"
	"  LEFT JOIN order_ext_internal.after_sales a ON a.after_sale_id = r.after_sale_id"
	"  GROUP BY r.payment_id) r"
	" LEFT JOIN order_ext_internal.payments p ON p.payment_id = r.payment_id"
	" WHERE p.payment_id IS NULL OR p.status <> " CODE(PAYMENT_CAPTURED)
	"  OR r.live > CASE WHEN p.purpose = " CODE(PURPOSE_DUPLICATE) " THEN 0 ELSE p.amount END";

/* Over all payments and ways; what cannot be taken back is a warning, as above. */
const char	verify_gone_back[] =
	"WITH gone AS (SELECT r.order_id, sum(r.amount) AS amount,"
	"  coalesce(sum(r.amount) FILTER (WHERE a.status IN (" AFTER_SALES_GIVEN_UP ")), 0) AS given_up"
	" FROM order_ext_internal.refunds r"
	" LEFT JOIN order_ext_internal.after_sales a ON a.after_sale_id = r.after_sale_id"
	" WHERE r.status = " CODE(REFUND_SUCCEEDED) " GROUP BY r.order_id),"
	" came AS (SELECT p.order_id, sum(p.amount) AS amount FROM order_ext_internal.payments p"
	" WHERE p.status = " CODE(PAYMENT_CAPTURED) " AND p.purpose <> " CODE(PURPOSE_DUPLICATE)
	" GROUP BY p.order_id)"
	"SELECT CASE WHEN g.amount - g.given_up <= c.amount THEN 'warning' ELSE 'error' END,"
	" 'order ' || g.order_id, format('at most %s gone back', coalesce(c.amount, 0)),"
	" format('%s gone back', g.amount)"
	" FROM gone g LEFT JOIN came c ON c.order_id = g.order_id"
	" WHERE g.amount > coalesce(c.amount, 0)";

const char	verify_refund_facts[] =
	"SELECT 'error', 'refund ' || r.refund_id,"
	" format('order %s, %s by %s, an after-sale of it where it names one, settled when succeeded,"
	" leased when submitted',"
	"  p.order_id, p.currency, p.pay_type),"
	" format('order %s, %s by %s, after-sale %s, status %s, settled at %s, lease until %s',"
	"  r.order_id, r.currency, r.pay_type, r.after_sale_id, r.status,"
	"  coalesce(r.settled_at::text, 'no time'), coalesce(r.lease_until::text, 'no time'))"
	" FROM order_ext_internal.refunds r"
	" JOIN order_ext_internal.payments p ON p.payment_id = r.payment_id"
	" LEFT JOIN order_ext_internal.after_sales a ON a.after_sale_id = r.after_sale_id"
	" WHERE " REFUND_IS_UNFIT;

/*
 * What is within each payment, and of its order, is within all that was captured for the order: so
 * this is for what has gone back, too.
 */
const char	verify_refunds_print[] = "SELECT " REFUNDS_FIT;

/* ---- I4: any excess of an accepted payment is refunded ---- */

const char	verify_excess[] =
	"SELECT 'error', 'payment ' || p.payment_id,"
	" format('refunds of at least %s (order %s costs %s)',"
	"  p.amount - o.pay_amount, o.order_id, o.pay_amount),"
	" format('refunds of %s', coalesce(g.amount, 0))"
	" FROM order_ext_internal.payments p"
	" JOIN order_ext_internal.orders o ON o.order_id = p.order_id"
	" LEFT JOIN (" MONEY_DECIDED ") g ON g.payment_id = p.payment_id"
	" WHERE p.status = " CODE(PAYMENT_CAPTURED) " AND p.purpose = " CODE(PURPOSE_APPLIED)
	"  AND p.amount > o.pay_amount"
	"  AND coalesce(g.amount, 0) < p.amount - o.pay_amount";

const char	verify_failed_refunds[] =
	"SELECT 'warning', 'refund ' || r.refund_id, 'a refund that goes through: retry_refund',"
	" format('failed, %s old: order %s, %s %s, attempt %s', " AGE("r.requested_at") ","
	"  r.order_id, r.amount, r.currency, r.attempt)"
	" FROM order_ext_internal.refunds r"
	" LEFT JOIN order_ext_internal.after_sales a ON a.after_sale_id = r.after_sale_id"
	" WHERE r.status = " CODE(REFUND_FAILED)
	"  AND (a.status IS NULL OR a.status NOT IN (" AFTER_SALES_GIVEN_UP "))";

/* ---- I13: after-sales and their refunds ---- */

/*
 * What staff keeps of an after-sale counts as its refund. While goods are waited for, there are
 * refunds only of what has come.
 */
#define REFUND_COUNTS \
	"refund AS MATERIALIZED (" \
	" SELECT after_sale_id," \
	"  count(*) FILTER (WHERE status = " CODE(REFUND_REQUESTED) ") AS requested," \
	"  count(*) FILTER (WHERE status = " CODE(REFUND_SUBMITTED) ") AS submitted," \
	"  count(*) FILTER (WHERE status = " CODE(REFUND_SUCCEEDED) ") AS succeeded," \
	"  count(*) FILTER (WHERE status = " CODE(REFUND_FAILED) ") AS failed," \
	"  max(settled_at) AS settled_at," \
	"  sum(coalesce(asked, amount))" \
	"   FILTER (WHERE status <> " CODE(REFUND_WITHDRAWN) " OR kept) AS amount" \
	" FROM order_ext_internal.refunds WHERE after_sale_id <> 0 GROUP BY after_sale_id)"

const char	verify_after_sales_and_refunds[] =
	"WITH " REFUND_COUNTS
	"SELECT CASE WHEN a.status IN (" AFTER_SALES_GIVEN_UP ")"
	"   AND r.requested + r.submitted = 0"
	" THEN 'warning'"
	"  ELSE 'error' END,"
	" 'after-sale ' || a.after_sale_id,"
	" CASE WHEN a.status IN (" CODES(AFTER_SALE_APPLIED, AFTER_SALE_REOPENED) ") THEN 'no refund'"
	"  WHEN a.status = " CODE(AFTER_SALE_APPROVED) " THEN 'refunds requested, or none'"
	"  WHEN a.status = " CODE(AFTER_SALE_REFUNDING)
	"   THEN format('open refunds, %s in all, or goods to come', a.amount)"
	"  WHEN a.status = " CODE(AFTER_SALE_REFUNDED)
	"   THEN format('all refunds succeeded, %s in all', a.amount)"
	"  WHEN a.status = " CODE(AFTER_SALE_FAILED)
	"   THEN format('a failed refund and none open, %s in all', a.amount)"
	"  ELSE 'no live refund' END,"
	" format('status %s: %s requested, %s submitted, %s succeeded, %s failed, %s in all', a.status,"
	"  coalesce(r.requested, 0), coalesce(r.submitted, 0), coalesce(r.succeeded, 0),"
	"  coalesce(r.failed, 0), coalesce(r.amount, 0))"
	" FROM order_ext_internal.after_sales a"
	" LEFT JOIN refund r ON r.after_sale_id = a.after_sale_id"
	" CROSS JOIN LATERAL (SELECT coalesce(r.amount, 0) + a.paid_outside AS amount,"
	"  " AFTER_SALE_HAS_ITS_GOODS " AS complete) back"
	" WHERE CASE"
	"  WHEN a.status IN (" CODES(AFTER_SALE_APPLIED, AFTER_SALE_REOPENED) ")"
	"   THEN r.amount IS NOT NULL"
	"  WHEN a.status = " CODE(AFTER_SALE_APPROVED) " THEN r.submitted + r.succeeded + r.failed > 0"
	"  WHEN a.status = " CODE(AFTER_SALE_REFUNDING)
	"   THEN (coalesce(r.requested + r.submitted, 0) = 0"
	"     AND (back.complete OR coalesce(r.failed, 0) > 0))"
	"    OR back.amount > a.amount OR (back.complete AND back.amount < a.amount)"
	"  WHEN a.status = " CODE(AFTER_SALE_REFUNDED) " THEN r.requested + r.submitted + r.failed > 0"
	"    OR back.amount <> a.amount"
	"  WHEN a.status = " CODE(AFTER_SALE_FAILED)
	"   THEN coalesce(r.failed, 0) = 0 OR r.requested + r.submitted > 0"
	"    OR back.amount > a.amount OR (back.complete AND back.amount < a.amount)"
	"  ELSE r.requested + r.submitted > 0"
	"   OR (r.succeeded > 0 AND r.settled_at >= a.settled_at) END";

const char	verify_after_sale_amounts[] =
	"WITH line AS (SELECT after_sale_id, sum(amount) AS amount, count(*) AS n,"
	"  count(DISTINCT order_id) AS orders, min(order_id) AS order_id"
	" FROM order_ext_internal.after_sale_items GROUP BY after_sale_id)"
	"SELECT 'error', 'after-sale ' || coalesce(a.after_sale_id, l.after_sale_id),"
	" coalesce(format('lines of order %s that sum up to %s', a.order_id,"
	"   a.amount - a.freight - a.extra),"
	"  'an after-sale'),"
	" coalesce(format('%s line(s) of order %s, %s in all', l.n, l.order_id, l.amount), 'no lines')"
	" FROM order_ext_internal.after_sales a"
	" FULL JOIN line l ON l.after_sale_id = a.after_sale_id"
	" WHERE a.order_id IS NULL OR l.orders <> 1 OR l.order_id <> a.order_id"
	"  OR (l.n IS NULL AND a.type <> " CODE(AFTER_SALE_GOODWILL)
	"   AND a.origin IS DISTINCT FROM '" AFTER_SALE_ORIGIN_CANCEL "')"
	"  OR coalesce(l.amount, 0) <> a.amount - a.freight - a.extra"
	"  OR (a.extra > 0 AND a.type <> " CODE(AFTER_SALE_GOODWILL)
	"   AND a.origin IS DISTINCT FROM '" AFTER_SALE_ORIGIN_CANCEL "')";

const char	verify_returns_before_refunds[] =
	"SELECT 'error', 'refund ' || r.refund_id, 'submitted after goods were inspected only',"
	" format('status %s, return status %s', r.status, coalesce(a.return_status::text, 'none'))"
	" FROM order_ext_internal.refunds r"
	" JOIN order_ext_internal.after_sales a ON a.after_sale_id = r.after_sale_id"
	" WHERE a.type = " CODE(AFTER_SALE_RETURN_REFUND) " AND r.attempt > 0"
	"  AND (a.return_status IS NULL OR a.return_status NOT IN ("
	CODES(RETURN_PARTLY, RETURN_INSPECTED, RETURN_DAMAGED) ")"
	"   OR NOT EXISTS (SELECT FROM " LOOKED_UP("after_sale_items") " s"
	"    WHERE s.after_sale_id = a.after_sale_id AND s.refunded > 0 OFFSET 0))";

/* ---- I9: refunds of a pay type with a gateway have a reader ---- */

const char	verify_gateways[] =
	"SELECT 'error', 'gateway ' || coalesce(g.pay_type, c.name),"
	" 'a gateway, and the consumer group that calls it: set_gateway',"
	" CASE WHEN c.name IS NULL THEN 'no group' ELSE 'a group only' END"
	" FROM (SELECT * FROM order_ext_internal.gateways WHERE NOT builtin) g"
	" FULL JOIN (SELECT * FROM order_ext_internal.consumer_groups WHERE adapted) c"
	"  ON c.name = 'refund.execute:' || g.pay_type"
	" WHERE g.pay_type IS NULL OR c.name IS NULL";

/* ---- I15: what the update could not spell as it is spelled now ---- */

const char	verify_pay_type_spelling[] =
	"SELECT 'warning', 'payment ' || p.payment_id,"
	" format('one spelling, %s %s, of a trade number that another payment has, too',"
	"  " SPELLING_CODE_SQL("p.pay_type") ", " SPELLING_TRIM_SQL("p.out_trade_no") "),"
	" format('%s %s', quote_literal(p.pay_type), quote_literal(p.out_trade_no))"
	" FROM order_ext_internal.payments p"
	" WHERE p.pay_type <> " SPELLING_CODE_SQL("p.pay_type")
	"  OR p.out_trade_no <> " SPELLING_TRIM_SQL("p.out_trade_no")
	" UNION ALL "
	"SELECT 'warning', 'gateway ' || g.pay_type,"
	" format('one spelling, %s: set_gateway', " SPELLING_CODE_SQL("g.pay_type") "),"
	" quote_literal(g.pay_type)"
	" FROM order_ext_internal.gateways g WHERE g.pay_type <> " SPELLING_CODE_SQL("g.pay_type");

const char	verify_pay_type_spelling_print[] =
	"SELECT NOT EXISTS (SELECT FROM payments_sums WHERE untrimmed > 0"
	"  OR pay_type <> " SPELLING_CODE_SQL("pay_type") ")"
	" AND NOT EXISTS (SELECT FROM order_ext_internal.gateways"
	"  WHERE pay_type <> " SPELLING_CODE_SQL("pay_type") ")";

/* ---- I15: refunds that are waiting ---- */

/* What a gateway says in words of its own may quote the order: observers see this. */
const char	verify_expired_leases[] =
	"SELECT 'warning', 'refund ' || r.refund_id, 'an answer of the gateway, or another attempt',"
	" format('submitted, lease over for %s: order %s, %s %s, attempt %s by %s, last answer %s',"
	"  " AGE("r.lease_until") ", r.order_id, r.amount, r.currency, r.attempt, r.claimed_by,"
	"  CASE WHEN r.last_outcome IS NULL THEN 'none'"
	"   WHEN r.last_outcome IN ('succeeded', 'failed', 'pending', 'no answer')"
	"    THEN r.last_outcome"
	"   WHEN r.last_outcome ~ '^[0-9A-Z]{5}: ' THEN left(r.last_outcome, 5)"
	"   ELSE 'another word' END)"
	" FROM order_ext_internal.refunds r"
	" WHERE " REFUND_IS_OPEN " AND r.status = " CODE(REFUND_SUBMITTED)
	"  AND r.lease_until <= clock_timestamp()";

/* An hour is long for a worker; a person may take longer. */
const char	verify_waiting_refunds[] =
	"SELECT 'warning', 'refund ' || r.refund_id,"
	" CASE WHEN r.held THEN 'a decision: retry_refund' ELSE 'a worker that claims it' END,"
	" format('%s, %s old: order %s, %s %s', CASE WHEN r.held THEN 'held back' ELSE 'requested' END,"
	"  " AGE("r.requested_at") ", r.order_id, r.amount, r.currency)"
	" FROM order_ext_internal.refunds r"
	" LEFT JOIN order_ext_internal.after_sales a ON a.after_sale_id = r.after_sale_id"
	" WHERE " REFUND_IS_OPEN " AND r.status = " CODE(REFUND_REQUESTED)
	"  AND (r.held OR NOT " REFUND_WAITS("clock_timestamp()") ")"
	"  AND (CASE WHEN r.held THEN a.type IS DISTINCT FROM " CODE(AFTER_SALE_RETURN_REFUND)
	"  ELSE r.requested_at <= clock_timestamp() - interval '1 hour' END)";

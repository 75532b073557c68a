/*
 * after_sales.c
 *		The checks of verify() about after-sales: I5, and the parts of I6, I7, I13 and I15 about
 *		returns; see queries.c.
 */
#include "compat.h"

#include "api/verify/after_sales.h"
#include "api/verify/sums.h"
#include "machine/base/machine.h"

/*
 * After-sales that count: live ones, and those given up but paid anyway (as a gateway reported
 * too late). The latter are for staff to sort out: a warning.
 */
#define COUNTED \
	"counted AS (" \
	" SELECT a.after_sale_id, a.order_id, a.freight," \
	"  a.status NOT IN (" AFTER_SALES_GIVEN_UP ") AS live" \
	" FROM order_ext_internal.after_sales a" \
	" WHERE a.status NOT IN (" AFTER_SALES_GIVEN_UP ") OR EXISTS (" \
	"  SELECT FROM " LOOKED_UP("refunds") " r" \
	"  WHERE r.order_id = a.order_id AND r.after_sale_id = a.after_sale_id" \
	"   AND r.status = " CODE(REFUND_SUCCEEDED) " OFFSET 0))"

/*
 * SQL: whether money of the order went back in other ways, too, or was to, so that its lines and
 * freight got what was left: by a decision of staff, outside, or in another amount than asked for.
 */
#define BENT(order_id) \
	"(EXISTS (SELECT FROM " LOOKED_UP("after_sales") " g" \
	"  WHERE g.order_id = " order_id " AND g.type = " CODE(AFTER_SALE_GOODWILL) " OFFSET 0)" \
	" OR EXISTS (SELECT FROM " LOOKED_UP("refunds") " g" \
	"  WHERE g.order_id = " order_id \
	"   AND (g.cause IN (" CAUSES_OUTSIDE ") OR g.asked IS NOT NULL OR g.kept) OFFSET 0))"

/*
 * SQL: whether every piece of the order is in after-sales a that count. For orders of which
 * something is in doubt, which are few.
 */
#define ALL_WENT_BACK(order_id, counts) \
	"NOT EXISTS (SELECT FROM " LOOKED_UP("order_items") " i" \
	" WHERE i.order_id = " order_id " AND i.quantity >" \
	"  (SELECT coalesce(sum(s.quantity), 0) FROM " LOOKED_UP("after_sale_items") " s" \
	"   WHERE s.order_id = i.order_id AND s.line = i.line AND EXISTS (" \
	"    SELECT FROM " LOOKED_UP("after_sales") " a" \
	"    WHERE a.after_sale_id = s.after_sale_id AND (" counts ") OFFSET 0)) OFFSET 0)"

/* ---- I5: never more than was paid for, and all of it if everything was returned ---- */

const char	verify_lines_back[] =
	"WITH " COUNTED ","
	" back AS (SELECT s.order_id, s.line, min(s.product_id) AS product_id,"
	"  max(s.product_id) AS last_product_id,"
	"  coalesce(sum(s.quantity) FILTER (WHERE c.live), 0) AS quantity,"
	"  coalesce(sum(s.amount) FILTER (WHERE c.live), 0) AS amount,"
	"  coalesce(sum(s.discount) FILTER (WHERE c.live), 0) AS discount,"
	"  coalesce(sum(s.amount) FILTER (WHERE NOT c.live), 0) AS given_up"
	" FROM order_ext_internal.after_sale_items s"
	"  JOIN counted c ON c.after_sale_id = s.after_sale_id"
	" GROUP BY s.order_id, s.line)"
	"SELECT CASE WHEN i.product_id = ALL (ARRAY[b.product_id, b.last_product_id])"
	"   AND b.quantity <= i.quantity AND b.amount <= i.pay AND b.discount <= i.discount"
	"   AND (b.quantity < i.quantity OR b.amount + b.given_up >= i.pay)"
	"  THEN 'warning' ELSE 'error' END,"
	" format('order %s line %s', b.order_id, b.line),"
	" coalesce(format('at most %s pieces and %s, %s when all went back', i.quantity, i.pay, i.pay),"
	"  'a line of the order'),"
	" format('%s pieces and %s go back, %s were paid for what was given up',"
	"  b.quantity, b.amount, b.given_up)"
	" FROM back b"
	" LEFT JOIN order_ext_internal.order_items i"
	"  ON i.order_id = b.order_id AND i.line = b.line"
	" WHERE i.order_id IS NULL OR i.product_id <> ANY (ARRAY[b.product_id, b.last_product_id])"
	"  OR b.quantity > i.quantity OR b.amount + b.given_up > i.pay"
	"  OR b.discount > i.discount OR (b.quantity = i.quantity AND b.amount + b.given_up <> i.pay"
	"   AND NOT " BENT("b.order_id") ")";

/* Those whose freight did not go back, or not once: whether all pieces did is looked up. */
const char	verify_freight_back[] =
	"WITH " COUNTED ","
	" back AS (SELECT c.order_id, count(*) FILTER (WHERE c.live AND c.freight > 0) AS n,"
	"  coalesce(sum(c.freight) FILTER (WHERE c.live), 0) AS freight,"
	"  coalesce(sum(c.freight) FILTER (WHERE NOT c.live), 0) AS given_up"
	" FROM counted c GROUP BY c.order_id),"
	" other AS MATERIALIZED (SELECT b.*, o.freight_amount"
	"  FROM back b JOIN order_ext_internal.orders o ON o.order_id = b.order_id"
	"  WHERE (o.freight_amount > 0 OR b.freight > 0)"
	"   AND (b.n > 1 OR b.freight + b.given_up <> o.freight_amount)),"
	" judged AS MATERIALIZED (SELECT b.*, " ALL_WENT_BACK("b.order_id",
	"a.status NOT IN (" AFTER_SALES_GIVEN_UP ")") " AS whole"
	"  FROM other b)"
	"SELECT CASE WHEN j.n <= 1 AND j.freight <= j.freight_amount"
	"   AND (NOT j.whole OR j.freight + j.given_up >= j.freight_amount)"
	"  THEN 'warning' ELSE 'error' END,"
	" 'order ' || j.order_id,"
	" format('freight of %s goes back once%s', j.freight_amount,"
	"  CASE WHEN j.whole THEN ', now' ELSE '' END),"
	" format('%s by %s after-sale(s), %s by what was given up', j.freight, j.n, j.given_up)"
	" FROM judged j"
	" WHERE j.freight + j.given_up > j.freight_amount"
	"  OR ((j.n > 1 OR (j.whole AND j.freight + j.given_up <> j.freight_amount))"
	"   AND NOT " BENT("j.order_id") ")";

/* ---- I6: returned goods were sold ---- */

/* What came back in a receipt has the negative number of its event, all else the after-sale's. */
const char	verify_stock_back[] =
	"WITH moved AS MATERIALIZED (SELECT l.order_id, l.product_id, l.kind, l.available_delta,"
	"  l.reserved_delta, l.consumed_delta,"
	"  CASE WHEN l.ref < 0 THEN e.after_sale_id ELSE l.ref END AS ref, l.ref AS told"
	" FROM order_ext_internal.stock_ledger l"
	"  LEFT JOIN order_ext_internal.after_sale_events e ON l.ref < 0 AND e.event_id = - l.ref"
	"   AND e.disposition = 'applied'"
	" WHERE l.kind IN (" LEDGER_BACK ")),"
	" back AS (SELECT order_id, product_id, ref, sum(available_delta) AS available,"
	"  - sum(consumed_delta) AS pieces, bool_or(reserved_delta <> 0 OR consumed_delta >= 0"
	"   OR available_delta <> CASE kind WHEN " CODE(LEDGER_RETURN) " THEN - consumed_delta"
	"    ELSE 0 END) AS wrong, string_agg(DISTINCT kind::text, ', ') AS kinds"
	" FROM moved WHERE ref IS NOT NULL GROUP BY order_id, product_id, ref)"
	"SELECT 'error', format('order %s product %s', coalesce(m.order_id, s.order_id),"
	"  coalesce(m.product_id, s.product_id)),"
	" format('%s of %s pieces of after-sale %s available again', coalesce(s.restocked, 0),"
	"  coalesce(s.quantity, 0), coalesce(s.after_sale_id, m.ref)),"
	" coalesce(format('ledger kind %s: available %s, back %s', m.kinds, m.available, m.pieces),"
	"  'not in the ledger')"
	" FROM back m"
	" FULL JOIN (SELECT after_sale_id, product_id, min(order_id) AS order_id,"
	"   sum(quantity) AS quantity, sum(restocked) AS restocked"
	"  FROM order_ext_internal.after_sale_items WHERE restocked > 0 OR EXISTS ("
	"   SELECT FROM moved WHERE moved.ref = after_sale_items.after_sale_id"
	"    AND moved.product_id = after_sale_items.product_id)"
	"  GROUP BY after_sale_id, product_id) s"
	"  ON s.after_sale_id = m.ref AND s.product_id = m.product_id"
	" WHERE m.ref IS NULL OR s.after_sale_id IS NULL OR s.order_id <> m.order_id OR m.wrong"
	"  OR m.pieces > s.quantity OR m.available <> s.restocked"
	" UNION ALL "
	"SELECT 'error', format('order %s product %s', m.order_id, m.product_id),"
	" 'a receipt, or a decision about damaged goods', format('event %s', - m.told)"
	" FROM moved m WHERE m.ref IS NULL"
	" UNION ALL "
	"SELECT 'error', format('order %s sku %s', m.order_id, coalesce(i.sku, '#' || m.product_id)),"
	" format('at most %s pieces back or written off', coalesce(i.quantity, 0)),"
	" format('%s pieces', m.pieces)"
	" FROM (SELECT order_id, product_id, - sum(consumed_delta) AS pieces FROM moved"
	"  GROUP BY order_id, product_id) m"
	" LEFT JOIN LATERAL (SELECT min(o.sku) AS sku, sum(o.quantity) AS quantity"
	"  FROM " LOOKED_UP("order_items") " o"
	"  WHERE o.order_id = m.order_id AND o.product_id = m.product_id"
	"   AND o.reservation = " CODE(RESERVATION_CONSUMED) ") i ON true"
	" WHERE m.pieces > coalesce(i.quantity, 0)";

/* ---- I7: the coupon is returned with the last piece, and not before ---- */

#define REFUNDED_NOW "a.status = " CODE(AFTER_SALE_REFUNDED)
#define REFUNDED_ONCE \
	"EXISTS (SELECT FROM " LOOKED_UP("transition_log") " l" \
	" WHERE l.machine = " CODE(MACHINE_AFTER_SALE) " AND l.entity_id = a.after_sale_id" \
	"  AND l.to_status = " CODE(AFTER_SALE_REFUNDED) " OFFSET 0)"

#define HELD_AFTER_REFUND \
	"SELECT c.coupon_id, c.status, c.order_id" \
	" FROM (SELECT DISTINCT order_id FROM order_ext_internal.after_sales" \
	"  WHERE status = " CODE(AFTER_SALE_REFUNDED) ") back" \
	" JOIN order_ext_internal.orders o ON o.order_id = back.order_id" \
	"  AND o.status <> " CODE(ORDER_CANCELED) \
	" JOIN order_ext_internal.coupons c ON c.coupon_id = o.coupon_id AND c.order_id = o.order_id" \
	" WHERE c.status IN (" COUPONS_HELD ")"

#define HELD_AFTER_ALL_WENT_BACK \
	"SELECT 'error', 'coupon ' || h.coupon_id, 'given back: all of its order has gone back'," \
	" format('status %s by order %s', h.status, h.order_id)" \
	" FROM held h WHERE " ALL_WENT_BACK("h.order_id", REFUNDED_NOW)

/* A refund that is reversed later does not affect the returned coupon. */
const char	verify_coupons_back[] =
	"WITH lost AS MATERIALIZED ("
	" SELECT o.order_id, o.coupon_id, c.coupon_id AS there, c.order_id AS held_by"
	" FROM order_ext_internal.orders o"
	" LEFT JOIN order_ext_internal.coupons c ON c.coupon_id = o.coupon_id"
	" WHERE o.coupon_id IS NOT NULL AND o.status IN (" CODE(ORDER_CREATED) ", " ORDERS_PAID ")"
	"  AND c.order_id IS DISTINCT FROM o.order_id),"
	" held AS MATERIALIZED (" HELD_AFTER_REFUND ")"
	"SELECT 'error', 'order ' || l.order_id, format('coupon %s held by it', l.coupon_id),"
	" CASE WHEN l.there IS NULL THEN 'no such coupon'"
	"  ELSE format('coupon held by %s', coalesce('order ' || l.held_by, 'nobody')) END"
	" FROM lost l WHERE NOT " ALL_WENT_BACK("l.order_id", REFUNDED_NOW " OR " REFUNDED_ONCE)
	" UNION ALL " HELD_AFTER_ALL_WENT_BACK;

const char	verify_coupons_back_print[] =
	"WITH held AS MATERIALIZED (" HELD_AFTER_REFUND ")"
	"SELECT " COUPONS_AGREE " AND NOT EXISTS (" HELD_AFTER_ALL_WENT_BACK ")";

/* ---- I13: returns fit their after-sales ---- */

/* After-sales whose goods are not requested, and those whose goods have arrived. */
#define NOT_APPROVED CODES(AFTER_SALE_APPLIED, AFTER_SALE_REJECTED, AFTER_SALE_REOPENED)
#define PAYING_BACK CODES(AFTER_SALE_REFUNDING, AFTER_SALE_REFUNDED, AFTER_SALE_FAILED)

const char	verify_returns[] =
	"WITH line AS (SELECT s.after_sale_id, sum(s.quantity) AS quantity,"
	"  sum(s.received) AS received, sum(s.damaged) AS damaged, sum(s.restocked) AS restocked,"
	"  sum(s.refunded) AS refunded, sum(s.refused) AS refused, sum(s.paid) AS paid,"
	"  sum(s.amount) AS amount,"
	"  sum(s.quantity + s.refused - s.received) AS awaited,"
	"  sum(s.received - s.refused - s.refunded) AS undecided"
	" FROM order_ext_internal.after_sale_items s GROUP BY s.after_sale_id)"
	"SELECT 'error', 'after-sale ' || a.after_sale_id,"
	" CASE WHEN a.type <> " CODE(AFTER_SALE_RETURN_REFUND) " THEN 'no return'"
	"  WHEN a.status IN (" NOT_APPROVED ") THEN 'a return at " CODE(RETURN_AWAITING) "'"
	"  WHEN a.status = " CODE(AFTER_SALE_APPROVED) " THEN 'a return at "
	CODES(RETURN_TO_SEND, RETURN_IN_TRANSIT, RETURN_PARTLY, RETURN_INSPECTED)
	" or " CODE(RETURN_DAMAGED) "'"
	"  WHEN a.status = " CODE(AFTER_SALE_REFUNDED) " THEN 'a return at " CODE(RETURN_INSPECTED) "'"
	"  WHEN a.status IN (" PAYING_BACK ") THEN 'a return at "
	CODES(RETURN_PARTLY, RETURN_INSPECTED) " or " CODE(RETURN_DAMAGED) "'"
	"  ELSE 'a return' END ||"
	" ', everything received and paid for at " CODE(RETURN_INSPECTED) ", pieces to come at "
	CODE(RETURN_PARTLY) ", pieces to decide about at " CODE(RETURN_DAMAGED) "',"
	" format('type %s, status %s, return at %s; %s pieces: %s received, %s damaged,"
	" %s available again, %s paid for, %s refused',"
	"  a.type, a.status, coalesce(a.return_status::text, 'none'), l.quantity, l.received,"
	"  l.damaged, l.restocked, l.refunded, l.refused)"
	" FROM order_ext_internal.after_sales a"
	" JOIN line l ON l.after_sale_id = a.after_sale_id"
	" WHERE CASE"
	"   WHEN a.type <> " CODE(AFTER_SALE_RETURN_REFUND) " THEN a.return_status IS NOT NULL"
	"    OR l.received > 0 OR l.refunded > 0"
	"   WHEN a.return_status IS NULL THEN true"
	"   WHEN a.status IN (" NOT_APPROVED ") THEN a.return_status <> " CODE(RETURN_AWAITING)
	"   WHEN a.status = " CODE(AFTER_SALE_APPROVED) " THEN a.return_status NOT IN ("
	CODES(RETURN_TO_SEND, RETURN_IN_TRANSIT, RETURN_PARTLY, RETURN_INSPECTED, RETURN_DAMAGED) ")"
	"   WHEN a.status = " CODE(AFTER_SALE_REFUNDED)
	"    THEN a.return_status <> " CODE(RETURN_INSPECTED)
	"   WHEN a.status IN (" PAYING_BACK ") THEN a.return_status NOT IN ("
	CODES(RETURN_PARTLY, RETURN_INSPECTED, RETURN_DAMAGED) ")"
	"   ELSE false END"
	"  OR CASE a.return_status"
	"   WHEN " CODE(RETURN_INSPECTED) " THEN l.awaited <> 0 OR l.undecided <> 0"
	"    OR (l.paid <> l.amount AND a.status NOT IN (" AFTER_SALES_GIVEN_UP "))"
	"   WHEN " CODE(RETURN_DAMAGED) " THEN l.undecided <= 0"
	"   WHEN " CODE(RETURN_PARTLY) " THEN l.awaited <= 0 OR l.undecided <> 0 OR l.received = 0"
	"   ELSE l.received > 0 OR l.refunded > 0 END";

/*
 * Approved, and nothing has to come first: its refund must exist. (I4 covers those of canceled
 * orders.)
 */
const char	verify_approved[] =
	"WITH unpaid AS MATERIALIZED (SELECT a.after_sale_id, a.order_id, a.amount"
	" FROM order_ext_internal.after_sales a"
	" WHERE a.status = " CODE(AFTER_SALE_APPROVED)
	"  AND (a.type <> " CODE(AFTER_SALE_RETURN_REFUND)
	"   OR a.return_status = " CODE(RETURN_INSPECTED) ")"
	"  AND a.origin IS DISTINCT FROM '" AFTER_SALE_ORIGIN_CANCEL "'"
	"  AND NOT EXISTS (SELECT FROM order_ext_internal.refunds r"
	"   WHERE r.order_id = a.order_id AND r.after_sale_id = a.after_sale_id"
	"    AND r.status <> " CODE(REFUND_WITHDRAWN) "))"
	"SELECT CASE WHEN p.left_over >= a.amount THEN 'error' ELSE 'warning' END,"
	" 'after-sale ' || a.after_sale_id, 'a refund of ' || a.amount,"
	" format('none; %s is left of the payment of order %s', coalesce(p.left_over, 0), a.order_id)"
	" FROM unpaid a"
	" LEFT JOIN LATERAL (SELECT p.amount - (SELECT coalesce(sum(r.amount), 0)"
	"    FROM " LOOKED_UP("refunds") " r WHERE r.payment_id = p.payment_id"
	"     AND r.status IN (" REFUNDS_NOT_WITHDRAWN ")) AS left_over"
	"   FROM " LOOKED_UP("payments") " p"
	"   WHERE p.order_id = a.order_id AND p.status = " CODE(PAYMENT_CAPTURED)
	"    AND p.purpose = " CODE(PURPOSE_APPLIED) " OFFSET 0) p ON true";

/* ---- I15: what waits for staff ---- */

const char	verify_waiting_after_sales[] =
	"SELECT 'warning', 'after-sale ' || a.after_sale_id,"
	" CASE WHEN a.status = " CODE(AFTER_SALE_APPLIED) " THEN 'a review: review_after_sale'"
	"  ELSE 'a decision about damaged goods: resolve_damaged' END,"
	" format('%s old: order %s, amount %s',"
	"  CASE WHEN a.status = " CODE(AFTER_SALE_APPLIED) " THEN " AGE("a.applied_at")
	"  ELSE " AGE("a.goods_received_at") " END, a.order_id, a.amount)"
	" FROM order_ext_internal.after_sales a"
	" WHERE (a.status IN (" AFTER_SALES_APPROVED ")"
	"  AND a.return_status = " CODE(RETURN_DAMAGED) ")"
	"  OR (a.status = " CODE(AFTER_SALE_APPLIED) " AND a.applied_at <= clock_timestamp()"
	"   - current_setting('order_ext.review_reminder')::interval)";

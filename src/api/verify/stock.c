/*
 * stock.c
 *		The checks of verify() about stock and reservations: I6; see queries.c.
 */
#include "compat.h"

#include "api/verify/stock.h"
#include "api/verify/sums.h"
#include "machine/base/machine.h"

/* ---- the ledger is the stock ---- */

/*
 * A level is the newest fold and the rows that this does not cover. So the folds must be the sum of
 * those that they cover, for the levels to be that of all.
 */
const char	verify_stock_and_ledger[] =
	"WITH newest AS NOT MATERIALIZED (" NEWEST_FOLDS "),"
	" sums AS ("
	"  SELECT l.product_id, least(sum(l.available_delta), sum(l.reserved_delta),"
	"    sum(l.consumed_delta)) AS lowest,"
	"   coalesce(sum(l.available_delta) FILTER (WHERE c.yes), 0) AS available,"
	"   coalesce(sum(l.reserved_delta) FILTER (WHERE c.yes), 0) AS reserved,"
	"   coalesce(sum(l.consumed_delta) FILTER (WHERE c.yes), 0) AS consumed"
	"  FROM order_ext_internal.stock_ledger l LEFT JOIN newest n USING (product_id)"
	"  CROSS JOIN LATERAL"
	"   (SELECT l.xid < n.before OR pg_visible_in_snapshot(l.xid, n.covered) AS yes) c"
	"  GROUP BY l.product_id)"
	"SELECT 'error', format('sku %s', coalesce(p.sku, '#' || product_id)),"
	" CASE WHEN s.lowest < 0 THEN 'available, reserved and consumed are not negative' ELSE"
	"  format('ledger: available %s, reserved %s, consumed %s',"
	"   coalesce(s.available, 0), coalesce(s.reserved, 0), coalesce(s.consumed, 0)) END,"
	" CASE WHEN s.lowest < 0 THEN format('%s', s.lowest) ELSE"
	"  format('fold: available %s, reserved %s, consumed %s',"
	"   n.available, n.reserved, n.consumed) END"
	" FROM sums s FULL JOIN newest n USING (product_id)"
	" LEFT JOIN order_ext_internal.products p USING (product_id)"
	" WHERE s.lowest < 0"
	"  OR coalesce(s.available, 0) <> coalesce(n.available, 0)"
	"  OR coalesce(s.reserved, 0) <> coalesce(n.reserved, 0)"
	"  OR coalesce(s.consumed, 0) <> coalesce(n.consumed, 0)";

/*
 * Folds are not negative; with what they do not cover, which is little, levels are not either, nor
 * are those of products without a fold.
 */
const char	verify_stock_and_ledger_print[] =
	"SELECT (available, reserved, consumed) = (" SUM_OF("available", "ledger_sums", "covered") ","
	"  " SUM_OF("reserved", "ledger_sums", "covered") ","
	"  " SUM_OF("consumed", "ledger_sums", "covered") ")"
	" AND lowest >= 0 AND (NOT EXISTS (SELECT FROM ledger_sums WHERE NOT covered)"
	"  OR NOT EXISTS (SELECT FROM (" NEWEST_FOLDS ") n CROSS JOIN LATERAL ("
	"    SELECT sum(l.available_delta) AS available, sum(l.reserved_delta) AS reserved,"
	"     sum(l.consumed_delta) AS consumed FROM order_ext_internal.stock_ledger l"
	"     WHERE l.product_id = n.product_id AND l.xid >= n.before"
	"      AND NOT pg_visible_in_snapshot(l.xid, n.covered)) l"
	"   WHERE least(n.available + l.available, n.reserved + l.reserved,"
	"    n.consumed + l.consumed) < 0))"
	" AND (NOT EXISTS (SELECT FROM ledger_sums WHERE covered IS NULL)"
	"  OR NOT EXISTS (SELECT FROM order_ext_internal.stock_ledger l WHERE NOT EXISTS ("
	"    SELECT FROM order_ext_internal.stock_folds f WHERE f.product_id = l.product_id)"
	"   GROUP BY l.product_id HAVING least(sum(l.available_delta), sum(l.reserved_delta),"
	"    sum(l.consumed_delta)) < 0))"
	" FROM (SELECT order_ext_internal.hash_sum(product_id, 2, available) AS available,"
	"   order_ext_internal.hash_sum(product_id, 1, reserved) AS reserved,"
	"   order_ext_internal.hash_sum(product_id, 3, consumed) AS consumed,"
	"   coalesce(min(least(available, reserved, consumed)), 0) AS lowest"
	"  FROM (" NEWEST_FOLDS ") n) f";

const char	verify_stock_and_reservations_print[] =
	"SELECT " SUM_OF("reserved", "ledger_sums", "true")
	" = " SUM_OF("pieces", "items_sums", "reservation = " CODE(RESERVATION_OPEN));

const char	verify_stock_and_reservations[] =
	"SELECT 'error', format('sku %s', coalesce(p.sku, '#' || product_id)),"
	" format('open reservations of orders: %s', coalesce(i.reserved, 0)),"
	" format('reserved in the ledger: %s', coalesce(l.reserved, 0))"
	" FROM (SELECT product_id, sum(reserved_delta) AS reserved"
	"  FROM order_ext_internal.stock_ledger GROUP BY product_id) l"
	" FULL JOIN (SELECT product_id, sum(quantity) AS reserved"
	"  FROM order_ext_internal.order_items"
	"   WHERE reservation = " CODE(RESERVATION_OPEN) " GROUP BY product_id) i"
	"  USING (product_id)"
	" LEFT JOIN order_ext_internal.products p USING (product_id)"
	" WHERE coalesce(l.reserved, 0) <> coalesce(i.reserved, 0)";

#define RESERVATION_UNFIT \
	"((i.reservation = " CODE(RESERVATION_OPEN) ") <> (o.status IN (" ORDERS_NOT_OUT "))" \
	"   OR (i.reservation = " CODE(RESERVATION_CONSUMED) ") <> (o.status IN (" ORDERS_OUT ")))"

/* Of orders by their status, and of lines by their reservation: what they cost. */
const char	verify_reservations_and_orders_print[] =
	"SELECT " RESERVATIONS_ARE_LIVE
	" AND " SUM_OF("origin", "orders_sums", "status IN (" ORDERS_OUT ")")
	"  = " SUM_OF("origin", "items_sums", "reservation = " CODE(RESERVATION_CONSUMED))
	" AND " SUM_OF("origin", "orders_sums",
	"status NOT IN (" ORDERS_NOT_OUT ") AND status NOT IN (" ORDERS_OUT ")")
	"  = " SUM_OF("origin", "items_sums", "reservation NOT IN ("
	CODES(RESERVATION_OPEN, RESERVATION_CONSUMED) ")");

const char	verify_reservations_and_orders[] =
	"WITH " PENDING_KEYS(CODES(TOPIC_ORDER_RELEASE_ASSETS, TOPIC_STOCK_RELEASE))
	"SELECT 'error', format('order %s sku %s', i.order_id, i.sku),"
	" CASE WHEN o.status IN (" ORDERS_NOT_OUT ")"
	"  THEN 'reservation " CODE(RESERVATION_OPEN) " (open)'"
	"  WHEN o.status IN (" ORDERS_OUT ")"
	"   THEN 'reservation " CODE(RESERVATION_CONSUMED) " (consumed)'"
	"  ELSE 'no open reservation, or its release on its way' END,"
	" format('reservation %s at status %s', i.reservation, o.status)"
	" FROM order_ext_internal.order_items i"
	" JOIN order_ext_internal.orders o ON o.order_id = i.order_id"
	" WHERE " RESERVATION_UNFIT
	"  AND NOT (i.reservation = " CODE(RESERVATION_OPEN) " AND o.status = " CODE(ORDER_CANCELED)
	"   AND EXISTS (SELECT FROM pending WHERE pending.key = i.order_id))";

const char	verify_reservations_and_ledger_print[] =
	"SELECT " SUM_OF("order_reserved", "ledger_sums", "kind IN (" LEDGER_RESERVATIONS ")")
	"  = " SUM_OF("order_pieces", "items_sums", "reservation = " CODE(RESERVATION_OPEN))
	" AND " SUM_OF("order_consumed", "ledger_sums", "kind IN (" LEDGER_RESERVATIONS ")")
	"  = " SUM_OF("order_pieces", "items_sums", "reservation = " CODE(RESERVATION_CONSUMED));

const char	verify_reservations_and_ledger[] =
	"SELECT 'error',"
	" format('order %s product %s',"
	"  coalesce(i.order_id, l.order_id), coalesce(i.product_id, l.product_id)),"
	" format('reserved %s, consumed %s by its reservation',"
	"  coalesce(i.reserved, 0), coalesce(i.consumed, 0)),"
	" format('reserved %s, consumed %s in the ledger',"
	"  coalesce(l.reserved, 0), coalesce(l.consumed, 0))"
	" FROM (SELECT order_id, product_id,"
	"   sum(quantity) FILTER (WHERE reservation = " CODE(RESERVATION_OPEN) ") AS reserved,"
	"   sum(quantity) FILTER (WHERE reservation = " CODE(RESERVATION_CONSUMED) ") AS consumed"
	"  FROM order_ext_internal.order_items GROUP BY order_id, product_id) i"
	" FULL JOIN (SELECT order_id, product_id, sum(reserved_delta) AS reserved,"
	"   sum(consumed_delta) AS consumed"
	"  FROM order_ext_internal.stock_ledger WHERE kind IN (" LEDGER_RESERVATIONS ")"
	"  GROUP BY order_id, product_id) l"
	"  ON l.order_id = i.order_id AND l.product_id = i.product_id"
	" WHERE coalesce(l.reserved, 0) <> coalesce(i.reserved, 0)"
	"  OR coalesce(l.consumed, 0) <> coalesce(i.consumed, 0)";

/*
 * queries.c
 *		The checks of verify(), one query each.
 *
 * They run with search_path = pg_catalog and are written for millions of orders: sets and hash
 * joins, no lookup per row. Built-in consumer groups have the ids of their topics. "On its way"
 * means the view pending_messages; a dead letter counts as on its way and shows up as a warning
 * of I15.
 *
 * If two large tables must agree row by row, a fingerprint is compared first, of sums that are made
 * in one pass over each table, for all checks (sums.h). The join that finds the differing
 * rows runs only if the fingerprints differ.
 */
#include "compat.h"

#include "api/verify/after_sales.h"
#include "api/verify/catalog.h"
#include "api/verify/facts.h"
#include "api/verify/fulfilment.h"
#include "api/verify/leases.h"
#include "api/verify/log.h"
#include "api/verify/messages.h"
#include "api/verify/money_sums.h"
#include "api/verify/queries.h"
#include "api/verify/refunds.h"
#include "api/verify/roles.h"
#include "api/verify/running.h"
#include "api/verify/stock.h"
#include "api/verify/sums.h"
#include "api/verify/walls.h"
#include "machine/base/machine.h"

/* ---- I1: amounts ---- */

/* The product fits a bigint up to this price; above it, numeric is used. */
static const char amounts[] =
	"WITH lines AS ("
	" SELECT i.order_id, sum(i.discount) AS discount, sum(i.pay) AS pay,"
	"  bool_or(i.pay < 0 OR i.discount < 0"
	"   OR CASE WHEN i.price BETWEEN 0 AND 4000000000"
	"    THEN i.pay <> i.price * i.quantity - i.discount"
	"    ELSE i.pay <> i.price::numeric * i.quantity - i.discount END) AS wrong"
	" FROM order_ext_internal.order_items i GROUP BY i.order_id)"
	"SELECT 'error', 'order ' || coalesce(o.order_id, l.order_id),"
	" CASE WHEN o.order_id IS NULL THEN 'an order row'"
	"  ELSE format('items: origin %s, discount %s, pay %s, each line exact',"
	"   o.origin_amount, o.discount_amount, o.pay_amount - o.freight_amount) END,"
	" CASE WHEN l.order_id IS NULL THEN 'no items'"
	"  ELSE format('items: origin %s, discount %s, pay %s%s', l.pay + l.discount, l.discount,"
	"   l.pay, CASE WHEN l.wrong THEN ', a line is not exact' END) END"
	" FROM order_ext_internal.orders o"
	" FULL JOIN lines l ON l.order_id = o.order_id"
	" WHERE o.order_id IS NULL OR l.order_id IS NULL OR l.wrong"
	"  OR o.origin_amount <> l.pay + l.discount OR o.discount_amount <> l.discount"
	"  OR o.pay_amount <> l.pay + o.freight_amount";

/* Each order and each line is exact, so the original amounts follow. */
static const char amounts_print[] =
	"SELECT " SUM_OF("discount", "orders_sums", "true") " = "
	SUM_OF("discount", "items_sums", "true")
	" AND " SUM_OF("goods", "orders_sums", "true") " = " SUM_OF("goods", "items_sums", "true")
	" AND " COUNT_OF("unfit", "orders_sums", "true") " = 0"
	" AND " COUNT_OF("unfit", "items_sums", "true") " = 0"
	" AND (" COUNT_OF("free", "orders_sums", "true") " = 0 OR NOT EXISTS ("
	"  SELECT FROM order_ext_internal.orders o WHERE o.origin_amount = 0"
	"   AND NOT EXISTS (SELECT FROM order_ext_internal.order_items i"
	"    WHERE i.order_id = o.order_id AND i.pay + i.discount = 0)))"
	" AND (" COUNT_OF("free", "items_sums", "true") " = 0 OR NOT EXISTS ("
	"  SELECT FROM order_ext_internal.order_items i WHERE i.pay + i.discount = 0"
	"   AND NOT EXISTS (SELECT FROM order_ext_internal.orders o"
	"    WHERE o.order_id = i.order_id)))";

/* ---- I2: every capture has one purpose, which matches its order ---- */

#define NO_OTHER_CAPTURES \
	"NOT EXISTS (SELECT FROM payments_sums WHERE status = " CODE(PAYMENT_CAPTURED) \
	"  AND purpose IS DISTINCT FROM " CODE(PURPOSE_APPLIED) ")"

static const char capture_purpose[] =
	"SELECT 'error', 'payment ' || p.payment_id,"
	" CASE WHEN p.status = " CODE(PAYMENT_CAPTURED) " THEN 'a purpose and the time of the capture'"
	"  ELSE 'no purpose before the capture' END,"
	" format('status %s, purpose %s, captured at %s', p.status,"
	"  coalesce(p.purpose::text, 'none'), coalesce(p.captured_at::text, 'no time'))"
	" FROM order_ext_internal.payments p"
	" WHERE CASE WHEN p.status = " CODE(PAYMENT_CAPTURED)
	"  THEN p.purpose IS NULL OR p.purpose NOT BETWEEN " CODE(PURPOSE_APPLIED)
	"   AND " CODE(PURPOSE_DUPLICATE) " OR p.captured_at IS NULL"
	"  ELSE p.purpose IS NOT NULL OR p.captured_at IS NOT NULL END";

static const char capture_purpose_print[] =
	"SELECT NOT EXISTS (SELECT FROM payments_sums WHERE CASE"
	" WHEN status = " CODE(PAYMENT_CAPTURED) " THEN purpose IS NULL OR purpose NOT BETWEEN "
	CODE(PURPOSE_APPLIED) " AND " CODE(PURPOSE_DUPLICATE) " OR captured < n"
	" ELSE purpose IS NOT NULL OR captured > 0 END)";

#define CAPTURE_ORDER(which) \
	"SELECT 'error', 'payment ' || p.payment_id," \
	" CASE p.purpose WHEN " CODE(PURPOSE_LATE) " THEN 'late: its order is over'" \
	"  WHEN " CODE(PURPOSE_SURPLUS) " THEN 'surplus: its order is paid' ELSE 'its order' END," \
	" coalesce(format('order %s has status %s', o.order_id, o.status)," \
	"  format('no order %s', p.order_id))" \
	" FROM order_ext_internal.payments p" \
	" LEFT JOIN order_ext_internal.orders o ON o.order_id = p.order_id" \
	" WHERE p.status = " CODE(PAYMENT_CAPTURED) which " AND CASE p.purpose" \
	"  WHEN " CODE(PURPOSE_UNMATCHED) " THEN false" \
	"  WHEN " CODE(PURPOSE_DUPLICATE) " THEN NOT EXISTS (" \
	"   SELECT FROM " LOOKED_UP("payments") " d" \
	"    WHERE d.payment_id = p.duplicate_of AND d.payment_id <> p.payment_id" \
	"     AND d.order_id = p.order_id AND d.status = " CODE(PAYMENT_CAPTURED) \
	"     AND d.purpose <> " CODE(PURPOSE_DUPLICATE) \
	"     AND d.amount = p.amount AND d.currency = p.currency OFFSET 0)" \
	"  WHEN " CODE(PURPOSE_LATE) " THEN o.status IS NULL OR o.status NOT IN (" ORDERS_OVER ")" \
	"  WHEN " CODE(PURPOSE_SURPLUS) " THEN o.status IS NULL OR o.paid_at IS NULL" \
	"  ELSE o.status IS NULL END"

static const char capture_order[] = CAPTURE_ORDER("");

static const char capture_order_print[] =
	"SELECT " CAPTURES_HAVE_ORDERS " AND (" NO_OTHER_CAPTURES
	" OR NOT EXISTS (" CAPTURE_ORDER(" AND p.purpose <> " CODE(PURPOSE_APPLIED)) "))";

/* ---- I4: no captured money of a canceled order, late or surplus, without its refund ---- */

/*
 * A CASE, since the planner knows nothing of recent orders: of conditions it would take one row to
 * be left, and compare each with all refunds.
 */
static const char refund_of_captures[] =
	"WITH " PENDING_KEYS(CODES(TOPIC_ORDER_RELEASE_ASSETS, TOPIC_REFUND_PREPARE)) ","
	" given AS (" MONEY_DECIDED ")"
	"SELECT 'error', 'payment ' || p.payment_id,"
	" format('refunds of %s (order %s, status %s)', p.amount, p.order_id,"
	"  coalesce(o.status::text, 'unknown')),"
	" format('refunds of %s and none on its way', coalesce(g.amount, 0))"
	" FROM order_ext_internal.payments p"
	" LEFT JOIN order_ext_internal.orders o ON o.order_id = p.order_id"
	" LEFT JOIN given g ON g.payment_id = p.payment_id"
	" WHERE CASE WHEN p.status <> " CODE(PAYMENT_CAPTURED) " OR coalesce(g.amount, 0) >= p.amount"
	"   THEN false"
	"  WHEN p.purpose IN (" CODES(PURPOSE_LATE, PURPOSE_SURPLUS) ") THEN true"
	"  ELSE p.purpose IN (" PURPOSES_OF_ORDER ") AND o.status = " CODE(ORDER_CANCELED)
	"   AND NOT EXISTS (SELECT FROM pending WHERE pending.key = p.order_id) END";

/*
 * All of it has gone back, on its way or not: as sums tell, or else canceled orders are joined.
 * These are counted: for the first row of EXISTS, the planner would go through all refunds for
 * each payment.
 */
static const char refund_of_captures_print[] =
	"SELECT CASE WHEN " CAPTURES_ARE_BACK " THEN true ELSE (SELECT count(*) = 0 FROM ("
	"  SELECT payment_id, amount FROM order_ext_internal.payments"
	"   WHERE status = " CODE(PAYMENT_CAPTURED)
	"    AND purpose IN (" CODES(PURPOSE_LATE, PURPOSE_SURPLUS) ")"
	"  UNION ALL SELECT p.payment_id, p.amount FROM order_ext_internal.payments p"
	"   JOIN order_ext_internal.orders o ON o.order_id = p.order_id"
	"   WHERE p.status = " CODE(PAYMENT_CAPTURED) " AND p.purpose IN (" PURPOSES_OF_ORDER ")"
	"    AND o.status = " CODE(ORDER_CANCELED) ") p"
	" LEFT JOIN (" MONEY_DECIDED ") g ON g.payment_id = p.payment_id"
	" WHERE coalesce(g.amount, 0) < p.amount) END";

static const char excess_print[] =
	"SELECT " CAPTURES_HAVE_ORDERS " AND " CAPTURES_ARE_EXACT;

/* ---- I7: coupons ---- */

static const char coupons_and_orders[] =
	"WITH " PENDING_KEYS(CODES(TOPIC_ORDER_RELEASE_ASSETS, TOPIC_COUPON_RELEASE))
	"SELECT 'error', 'coupon ' || c.coupon_id,"
	" 'locked by an unpaid order, or used by a paid one, that names it',"
	" format('status %s by order %s (status %s, coupon %s)', c.status, c.order_id,"
	"  coalesce(o.status::text, 'unknown'), coalesce(o.coupon_id::text, 'none'))"
	" FROM order_ext_internal.coupons c"
	" LEFT JOIN order_ext_internal.orders o ON o.order_id = c.order_id"
	" WHERE c.status IN (" COUPONS_HELD ") AND (o.order_id IS NULL"
	"  OR o.coupon_id IS DISTINCT FROM c.coupon_id"
	"  OR NOT ((c.status = " CODE(COUPON_LOCKED) " AND o.status = " CODE(ORDER_CREATED) ")"
	"   OR (c.status = " CODE(COUPON_USED) " AND o.status IN (" ORDERS_PAID "))"
	"   OR (o.status = " CODE(ORDER_CANCELED)
	"    AND EXISTS (SELECT FROM pending WHERE pending.key = c.order_id))))"
	"  AND NOT EXISTS (SELECT FROM order_ext_archive.known a WHERE a.order_id = c.order_id"
	"   AND a.coupon_id = c.coupon_id AND c.status = " CODE(COUPON_USED)
	"   AND a.status IN (" ORDERS_PAID ") OFFSET 0)";

static const char coupons_print[] = "SELECT " COUPONS_AGREE;

/* ---- I18: the archive ---- */

static const char archived_orders[] =
	"SELECT 'error', 'order ' || a.order_id, 'in the archive, or live', 'both'"
	" FROM order_ext_archive.known a"
	" JOIN order_ext_internal.orders o ON o.order_id = a.order_id"
	" UNION ALL "
	"SELECT 'error', 'order ' || a.order_id, 'in the archive, or dropped', 'both'"
	" FROM order_ext_archive.orders a"
	" JOIN order_ext_archive.dropped d ON d.order_id = a.order_id"
	" UNION ALL "
	"SELECT 'error', format('product %s', coalesce(s.product_id, d.product_id)),"
	" format('movements of archived orders: available %s, reserved %s, consumed %s',"
	"  coalesce(d.available, 0), coalesce(d.reserved, 0), coalesce(d.consumed, 0)),"
	" format('their sum: available %s, reserved %s, consumed %s',"
	"  coalesce(s.available_delta, 0), coalesce(s.reserved_delta, 0),"
	"  coalesce(s.consumed_delta, 0))"
	" FROM (SELECT * FROM order_ext_internal.stock_ledger"
	"  WHERE order_id = 0 AND kind = " CODE(LEDGER_ARCHIVE) ") s"
	" FULL JOIN (SELECT (l ->> 'product_id')::bigint AS product_id,"
	"   sum((l ->> 'available_delta')::bigint) AS available,"
	"   sum((l ->> 'reserved_delta')::bigint) AS reserved,"
	"   sum((l ->> 'consumed_delta')::bigint) AS consumed"
	"  FROM order_ext_archive.known a, jsonb_array_elements(a.rows -> 'stock_ledger') AS l"
	"  GROUP BY (l ->> 'product_id')::bigint) d ON d.product_id = s.product_id"
	" WHERE (coalesce(s.available_delta, 0), coalesce(s.reserved_delta, 0),"
	"  coalesce(s.consumed_delta, 0)) <> (coalesce(d.available, 0), coalesce(d.reserved, 0),"
	"  coalesce(d.consumed, 0))"
	" UNION ALL "
	"SELECT 'error', format('money of %s, %s', coalesce(m.pay_type, p.pay_type),"
	"  coalesce(m.currency, p.currency)),"
	" format('captured by archived orders: %s', coalesce(p.amount, 0)),"
	" format('their sum: %s', coalesce(m.amount, 0))"
	" FROM (SELECT pay_type, currency, sum(amount) AS amount FROM order_ext_archive.money"
	"  WHERE what <= " CODE(PURPOSE_UNMATCHED) " GROUP BY pay_type, currency) m"
	" FULL JOIN (SELECT p ->> 'pay_type' AS pay_type, p ->> 'currency' AS currency,"
	"   sum((p ->> 'amount')::bigint) AS amount"
	"  FROM order_ext_archive.known a, jsonb_array_elements(a.rows -> 'payments') AS p"
	"  WHERE (p ->> 'status')::integer = " CODE(PAYMENT_CAPTURED)
	"   AND (p ->> 'purpose')::integer <> " CODE(PURPOSE_DUPLICATE)
	"  GROUP BY p ->> 'pay_type', p ->> 'currency') p USING (pay_type, currency)"
	" WHERE coalesce(m.amount, 0) <> coalesce(p.amount, 0)";

/*
 * ---- I10: unpaid orders have their timer ----
 *
 * One of an earlier deadline is void.
 */

#define TIMERS_ARMED(orders, timers) \
	"WITH armed AS MATERIALIZED (" \
	" SELECT key, due_at FROM order_ext_internal.pending_timers" \
	" WHERE topic_id = " CODE(TOPIC_ORDER_PAY_TIMEOUT) timers \
	" UNION ALL SELECT key, 'infinity' FROM order_ext_internal.pending_messages" \
	" WHERE group_id = " CODE(TOPIC_ORDER_PAY_TIMEOUT) ")" \
	"SELECT 'error', 'order ' || o.order_id," \
	" format('a timer for %s, or its message on its way', o.expire_at), 'none'" \
	" FROM " orders " o" \
	" WHERE o.status = " CODE(ORDER_CREATED) \
	"  AND NOT EXISTS (SELECT FROM armed" \
	"   WHERE armed.key = o.order_id AND armed.due_at >= o.expire_at)"

static const char timers_armed[] = TIMERS_ARMED("order_ext_internal.orders", "");

static const char unpaid_print[] =
	"SELECT NOT EXISTS (SELECT FROM orders_sums WHERE status = " CODE(ORDER_CREATED) ")";

/* An order is due when its timer is. */
const char	verify_timers_armed_recent[] =
	TIMERS_ARMED("orders",
	" AND due_at BETWEEN (SELECT min(expire_at) FROM orders"
	"   WHERE status = " CODE(ORDER_CREATED) ")"
	"  AND (SELECT max(expire_at) FROM orders"
	"   WHERE status = " CODE(ORDER_CREATED) ")");

#define OVERDUE_ORDERS(since) \
	"SELECT 'warning', 'order ' || o.order_id, 'canceled within a minute of its deadline'," \
	" format('unpaid, overdue for %s', " AGE("o.expire_at") ")" \
	" FROM order_ext_internal.orders o" \
	" WHERE o.status = " CODE(ORDER_CREATED) since \
	"  AND o.expire_at < (SELECT clock_timestamp() - interval '1 minute')"

static const char overdue_orders[] = OVERDUE_ORDERS("");

static const char overdue_print[] =
	"SELECT NOT EXISTS (SELECT FROM orders_sums WHERE status = " CODE(ORDER_CREATED)
	" AND first_due < (SELECT clock_timestamp() - interval '1 minute'))";

const char	verify_overdue_recent[] = OVERDUE_ORDERS(" AND o.expire_at >= $3");

/* ---- I12: one applied capture exactly if the order was paid ---- */

#define CAPTURES_DUE \
	"CASE WHEN o.status IN (" ORDERS_PAID ") THEN 1" \
	"   WHEN o.status = " CODE(ORDER_CREATED) " OR o.paid_at IS NULL THEN 0" \
	"   ELSE 1 END"

#define PAID_AT_WRONG \
	"((o.status IN (" ORDERS_PAID ") AND o.paid_at IS NULL)" \
	"  OR (o.status = " CODE(ORDER_CREATED) " AND o.paid_at IS NOT NULL))"

/* A capture of more than was asked for is no error, but is compared row by row. */
static const char applied_captures_print[] =
	"SELECT " CAPTURES_ARE_EXACT " AND NOT EXISTS (SELECT FROM"
	"  (SELECT currency, orders, 0 AS captures FROM orders_sums WHERE " PAID_ORDERS
	"   UNION ALL SELECT currency, 0, orders FROM payments_sums WHERE " APPLIED_CAPTURES ") c"
	"  GROUP BY currency HAVING order_ext_internal.hash_sum(orders)"
	"   <> order_ext_internal.hash_sum(captures))"
	" AND NOT EXISTS (SELECT FROM orders_sums WHERE (status IN (" ORDERS_PAID ") AND NOT paid)"
	"  OR (status = " CODE(ORDER_CREATED) " AND paid))";

static const char applied_captures[] =
	"SELECT 'error', 'order ' || o.order_id,"
	" CASE WHEN o.status IN (" ORDERS_PAID ")"
	"   OR (o.status <> " CODE(ORDER_CREATED) " AND o.paid_at IS NOT NULL)"
	"  THEN format('one applied capture of %s %s or more', o.pay_amount, o.currency)"
	"  ELSE 'no applied capture' END,"
	" format('%s applied capture(s) of %s %s, paid at %s', coalesce(a.n, 0),"
	"  coalesce(a.amount, 0), coalesce(a.currency, o.currency),"
	"  coalesce(o.paid_at::text, 'no time'))"
	" FROM order_ext_internal.orders o"
	" LEFT JOIN (SELECT order_id, count(*) AS n, max(amount) AS amount, min(currency) AS currency"
	"  FROM order_ext_internal.payments WHERE status = " CODE(PAYMENT_CAPTURED)
	"   AND purpose = " CODE(PURPOSE_APPLIED) " GROUP BY order_id) a"
	"  ON a.order_id = o.order_id"
	" WHERE coalesce(a.n, 0) <> " CAPTURES_DUE
	"  OR " PAID_AT_WRONG
	"  OR a.amount < o.pay_amount OR a.currency <> o.currency";

/* ---- I15: what waits for a person ---- */

static const char dead_letters[] =
	"SELECT 'warning',"
	" format('message %s of group %s', d.message_id, coalesce(g.name, d.group_id::text)),"
	" 'handled',"
	" format('dead letter, %s old: topic %s, key %s, after %s attempt(s), SQLSTATE %s',"
	"  " AGE("d.died_at") ", coalesce(t.name, d.topic_id::text), d.key, d.attempts,"
	"  coalesce(d.last_sqlstate, 'none'))"
	" FROM order_ext_internal.dead_messages d"
	" LEFT JOIN order_ext_internal.consumer_groups g ON g.group_id = d.group_id"
	" LEFT JOIN order_ext_internal.topics t ON t.topic_id = d.topic_id";

/* A capture of zero needs no refund: it matters only while its order is unpaid. */
static const char held_money[] =
	"SELECT 'warning', 'payment ' || p.payment_id, 'a decision: accept or refund',"
	" format('%s money, %s old: order %s, %s %s',"
	"  CASE p.purpose WHEN " CODE(PURPOSE_HELD) " THEN 'held'"
	"   ELSE 'unmatched' END, " AGE("p.captured_at") ","
	"  p.order_id, p.amount, p.currency)"
	" FROM order_ext_internal.payments p"
	" LEFT JOIN order_ext_internal.orders o ON o.order_id = p.order_id"
	" WHERE p.status = " CODE(PAYMENT_CAPTURED)
	"  AND p.purpose IN (" CODES(PURPOSE_HELD, PURPOSE_UNMATCHED) ")"
	"  AND (p.amount > 0 OR o.status = " CODE(ORDER_CREATED) ")"
	"  AND (p.amount = 0 OR p.amount > (SELECT coalesce(sum(g.amount), 0)"
	"   FROM (" MONEY_DECIDED_OF("p.payment_id") ") g))";

static const char held_money_print[] =
	"SELECT NOT EXISTS (SELECT FROM payments_sums WHERE status = " CODE(PAYMENT_CAPTURED)
	" AND purpose IN (" CODES(PURPOSE_HELD, PURPOSE_UNMATCHED) "))";

/* ---- I16: idempotency keys ---- */

#define REQUEST_RESULTS(since) \
	"SELECT 'error', format('request %s of %s', r.request_id, r.function)," \
	" 'a hash and a result'," \
	" format('hash of %s bytes, %s', octet_length(r.request_hash)," \
	"  CASE WHEN r.id IS NULL AND r.detail IS NULL THEN 'no result' ELSE 'a result' END)" \
	" FROM order_ext_internal.requests r" \
	" WHERE (octet_length(r.request_hash) <> 16 OR (r.id IS NULL AND r.detail IS NULL))" since

static const char request_results[] = REQUEST_RESULTS("");

const char	verify_requests_recent[] = REQUEST_RESULTS(" AND r.created_at >= $1");

static const VerifyCheck checks[] = {
	{"I1", "amounts of orders and items", amounts, amounts_print},
	{"I2", "every capture has one purpose", capture_purpose, capture_purpose_print},
	{"I2", "the purpose of a capture fits its order", capture_order, capture_order_print},
	{"I3", "never more refunded than captured", verify_refunds_within_capture,
	verify_refunds_print},
	{"I3", "never more gone back than captured", verify_gone_back, verify_refunds_print},
	{"I3", "a refund fits its payment, after-sale and status", verify_refund_facts,
	verify_refunds_print},
	{"I4", "money that belongs to no live order has its refund",
	refund_of_captures, refund_of_captures_print},
	{"I4", "what was paid too much goes back", verify_excess, excess_print},
	{"I4", "failed refunds", verify_failed_refunds, NULL},
	{"I5", "lines go back once, for what was paid", verify_lines_back, NULL},
	{"I5", "freight goes back once, with the last piece", verify_freight_back, NULL},
	{"I6", "stock is the sum of its ledger",
	verify_stock_and_ledger, verify_stock_and_ledger_print},
	{"I6", "reserved stock is the sum of open reservations",
	verify_stock_and_reservations, verify_stock_and_reservations_print},
	{"I6", "reservations fit the status of their order", verify_reservations_and_orders,
	verify_reservations_and_orders_print},
	{"I6", "reservations are in the ledger", verify_reservations_and_ledger,
	verify_reservations_and_ledger_print},
	{"I6", "what comes back was sold", verify_stock_back, NULL},
	{"I7", "coupons are held by the order that names them", coupons_and_orders, coupons_print},
	{"I7", "orders hold their coupon until all of them has gone back",
	verify_coupons_back, verify_coupons_back_print},
	{"I8", "the log is a chain that ends with the row", verify_log_chain, verify_log_print},
	{"I8", "every transition is in the state graph", verify_log_edges, verify_log_print},
	{"I9", "transitions and messages of the same transaction",
	verify_transition_messages, verify_transition_messages_print},
	{"I9", "cursors are not ahead of the log", verify_cursors_ahead, NULL},
	{"I9", "cursors move on", verify_cursors_forward, NULL},
	{"I9", "parked messages wait for something", verify_parked, NULL},
	{"I9", "what is kept outside of the log has its group", verify_kept_groups, NULL},
	{"I9", "a message is in one place for each group", verify_kept_once, NULL},
	{"I9", "what is kept outside of the log was in it", verify_kept_logged, NULL},
	{"I9", "groups have consumed what is behind them", verify_consumed, NULL},
	{"I9", "leases have an end", verify_leases_end, NULL},
	{"I9", "gateways have their groups", verify_gateways, NULL},
	{"I9", "the rings go round", verify_segments, NULL},
	{"I9", "rows of the log are of the past", verify_log_rows, NULL},
	{"I9", "keys are published once", verify_dedup, NULL},
	{"I10", "timers wait in their bucket, once", verify_timers, NULL},
	{"I10", "unpaid orders have a timer", timers_armed, unpaid_print},
	{"I10", "overdue orders", overdue_orders, overdue_print},
	{"I11", "fulfilments fit their orders",
	verify_fulfilments_and_orders, verify_fulfilments_and_orders_print},
	{"I11", "documents fit their fulfilments", verify_fulfilment_documents,
	verify_fulfilment_documents_print},
	{"I11", "facts are parked before their turn only", verify_parked_shipments, NULL},
	{"I11", "paid orders are on their way", verify_paid_orders, verify_paid_orders_print},
	{"I12", "one applied capture where an order was paid", applied_captures,
	applied_captures_print},
	{"I13", "after-sales fit their refunds", verify_after_sales_and_refunds, NULL},
	{"I13", "after-sales are the sum of their lines", verify_after_sale_amounts, NULL},
	{"I13", "goods are inspected before money goes back", verify_returns_before_refunds, NULL},
	{"I13", "returns fit their after-sales", verify_returns, NULL},
	{"I13", "what is approved is paid back", verify_approved, NULL},
	{"I15", "dead letters", dead_letters, NULL},
	{"I15", "groups that have stopped consuming", verify_backlog, NULL},
	{"I15", "dispatch is enabled", verify_dispatch_enabled, NULL},
	{"I15", "workers answer", verify_workers_answer, NULL},
	{"I15", "somebody dispatches", verify_nobody_dispatches, NULL},
	{"I15", "the sweep runs", verify_sweep_stopped, NULL},
	{"I15", "pg_cron's runs succeed", verify_cron_runs, verify_cron_unreadable},
	{"I15", "library and SQL objects are of one version", verify_versions, NULL},
	{"I15", "groups whose role cannot run", verify_roles, NULL},
	{"I15", "a risk check or price hook that cannot run", verify_guests, NULL},
	{"I15", "roles whose names a dump would get wrong", verify_role_names, NULL},
	{"I15", "topics without an owner", verify_topic_owners, NULL},
	{"I15", "a log that grows", verify_log_size, NULL},
	{"I15", "retries that are not run", verify_late_retries, NULL},
	{"I15", "leases that ran out", verify_ended_leases, NULL},
	{"I15", "held and unmatched money", held_money, held_money_print},
	{"I15", "held facts", verify_held_facts, NULL},
	{"I15", "pay types and trade numbers have one spelling",
	verify_pay_type_spelling, verify_pay_type_spelling_print},
	{"I15", "refunds without an answer", verify_expired_leases, NULL},
	{"I15", "refunds that wait", verify_waiting_refunds, NULL},
	{"I15", "facts that came early", verify_waiting_shipments, NULL},
	{"I15", "cancels that a warehouse has not answered",
	verify_unanswered_cancels, verify_unanswered_cancels_print},
	{"I15", "after-sales that wait", verify_waiting_after_sales, NULL},
	{"I15", "regions have one spelling", verify_catalog_regions, NULL},
	{"I15", "channels have one spelling", verify_catalog_channels, NULL},
	{"I16", "requests have a hash and a result", request_results, NULL},
	{"I17", "tables have their guards", verify_guards, NULL},
	{"I17", "nothing foreign is attached to tables and views", verify_hangers_on, NULL},
	{"I17", "the owner is not a usable role", verify_owner, NULL},
	{"I17", "no one has privileges on tables", verify_table_rights, NULL},
	{"I17", "sequences are ahead of their tables", verify_sequences, verify_sequences_print},
	{"I17", "functions run as roles that may", verify_registered_roles, NULL},
	{"I18", "archived orders are whole", archived_orders, NULL}
};

int
verify_checks(const VerifyCheck **all)
{
	*all = checks;
	return lengthof(checks);
}

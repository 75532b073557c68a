/*
 * verify_queries.c
 *		The checks of verify(), one query each.
 *
 * They run with search_path = pg_catalog and are written for millions of orders: sets and hash
 * joins, no lookup per row. Built-in consumer groups have the ids of their topics. "On its way"
 * means the view pending_messages; a dead letter counts as on its way and shows up as a warning
 * of I15.
 *
 * If two large tables must agree row by row, a fingerprint is compared first: the sum or
 * exclusive or of a 64-bit hash of each row, which takes a scan of each table but no join. The
 * join that finds the differing rows runs only if the fingerprints differ.
 */
#include "compat.h"

#include "api/verify_after_sales.h"
#include "api/verify_catalog.h"
#include "api/verify_facts.h"
#include "api/verify_fulfilment.h"
#include "api/verify_leases.h"
#include "api/verify_messages.h"
#include "api/verify_queries.h"
#include "api/verify_refunds.h"
#include "api/verify_roles.h"
#include "api/verify_stock.h"
#include "api/verify_walls.h"
#include "machine/machine.h"

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

/* ---- I2: every capture has one purpose, which matches its order ---- */

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

static const char capture_order[] =
	"SELECT 'error', 'payment ' || p.payment_id,"
	" CASE p.purpose WHEN " CODE(PURPOSE_LATE) " THEN 'late: its order is over'"
	"  WHEN " CODE(PURPOSE_SURPLUS) " THEN 'surplus: its order is paid' ELSE 'its order' END,"
	" coalesce(format('order %s has status %s', o.order_id, o.status),"
	"  format('no order %s', p.order_id))"
	" FROM order_ext_internal.payments p"
	" LEFT JOIN order_ext_internal.orders o ON o.order_id = p.order_id"
	" WHERE p.status = " CODE(PAYMENT_CAPTURED) " AND CASE p.purpose"
	"  WHEN " CODE(PURPOSE_UNMATCHED) " THEN false"
	"  WHEN " CODE(PURPOSE_DUPLICATE) " THEN NOT EXISTS (SELECT FROM order_ext_internal.payments d"
	"    WHERE d.payment_id = p.duplicate_of AND d.payment_id <> p.payment_id"
	"     AND d.order_id = p.order_id AND d.status = " CODE(PAYMENT_CAPTURED)
	"     AND d.purpose <> " CODE(PURPOSE_DUPLICATE)
	"     AND d.amount = p.amount AND d.currency = p.currency)"
	"  WHEN " CODE(PURPOSE_LATE) " THEN o.status IS NULL OR o.status NOT IN (" ORDERS_OVER ")"
	"  WHEN " CODE(PURPOSE_SURPLUS) " THEN o.status IS NULL OR o.paid_at IS NULL"
	"  ELSE o.status IS NULL END";

/* ---- I4: no captured money of a canceled order, late or surplus, without its refund ---- */

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
	" WHERE p.status = " CODE(PAYMENT_CAPTURED) " AND coalesce(g.amount, 0) < p.amount"
	"  AND (p.purpose IN (" CODES(PURPOSE_LATE, PURPOSE_SURPLUS) ")"
	"   OR (p.purpose IN (" PURPOSES_OF_ORDER ") AND o.status = " CODE(ORDER_CANCELED)
	"    AND NOT EXISTS (SELECT FROM pending WHERE pending.key = p.order_id)))";

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
	"    AND EXISTS (SELECT FROM pending WHERE pending.key = c.order_id))))";

/* ---- I8: the transition log ---- */

/*
 * A step is a link from (version, from status) to (version + 1, to status). The ends of the links
 * of a chain are equal in pairs, so all but the first and the last cancel each other out in the
 * exclusive or of their hashes, which is cheaper than sorting.
 */
#define LINK_END(version, status) \
	"hashint8extended(entity_id, (machine * 4294967296 + " version ") * 1024 + " status ")"

#define ENTITIES \
	"(SELECT " CODE(MACHINE_ORDER) "::bigint AS machine, order_id AS entity_id, version, status" \
	"  FROM order_ext_internal.orders" \
	" UNION ALL SELECT " CODE(MACHINE_PAYMENT) ", payment_id, version, status" \
	"  FROM order_ext_internal.payments" \
	" UNION ALL SELECT " CODE(MACHINE_AFTER_SALE) ", after_sale_id, version, status" \
	"  FROM order_ext_internal.after_sales" \
	" UNION ALL SELECT " CODE(MACHINE_RETURN) ", after_sale_id, return_version, return_status" \
	"  FROM order_ext_internal.after_sales WHERE return_version > 0" \
	" UNION ALL SELECT " CODE(MACHINE_REFUND) ", refund_id, version, status" \
	"  FROM order_ext_internal.refunds" \
	" UNION ALL SELECT " CODE(MACHINE_COUPON) ", coupon_id, version, status" \
	"  FROM order_ext_internal.coupons" \
	" UNION ALL SELECT " CODE(MACHINE_FULFILMENT) ", order_id, version, status" \
	"  FROM order_ext_internal.fulfilments)"

static const char log_chain_print[] =
	"SELECT (SELECT (coalesce(sum(version), 0),"
	"  coalesce(bit_xor(" LINK_END("1", CODE(STATUS_NONE))
	"   # " LINK_END("version + 1", "status") "), 0))"
	" FROM " ENTITIES " entity)"
	" = (SELECT (count(*)::bigint,"
	"  coalesce(bit_xor(" LINK_END("version", "from_status")
	"   # " LINK_END("version + 1", "to_status") "), 0))"
	" FROM order_ext_internal.transition_log)";

static const char log_chain[] =
	"WITH chain AS ("
	" SELECT machine::bigint, entity_id, count(*) AS n,"
	"  bit_xor(" LINK_END("version", "from_status")
	"   # " LINK_END("version + 1", "to_status") ") AS ends"
	" FROM order_ext_internal.transition_log GROUP BY machine, entity_id),"
	" entity AS ("
	" SELECT machine, entity_id, version, status,"
	"  " LINK_END("1", CODE(STATUS_NONE)) " # " LINK_END("version + 1", "status") " AS ends"
	" FROM " ENTITIES " entity)"
	"SELECT 'error',"
	" (ARRAY['order', 'payment', 'after_sale', 'return', 'refund', 'coupon', 'fulfilment'])"
	"  [coalesce(e.machine, c.machine)] || ' ' || coalesce(e.entity_id, c.entity_id),"
	" coalesce(format('a chain from -1 to status %s in %s step(s)', e.status, e.version),"
	"  'the row that the log is about'),"
	" coalesce((SELECT string_agg(format('%s: %s to %s', l.version, l.from_status, l.to_status),"
	"   ', ' ORDER BY l.version) FROM order_ext_internal.transition_log l"
	"  WHERE l.machine = c.machine AND l.entity_id = c.entity_id), 'no log')"
	" FROM chain c"
	" FULL JOIN entity e ON e.machine = c.machine AND e.entity_id = c.entity_id"
	" WHERE c.n IS NULL OR e.version IS NULL OR c.n <> e.version OR c.ends <> e.ends";

#define MACHINES \
	"(VALUES (" CODE(MACHINE_ORDER) "::smallint, 'order')," \
	" (" CODE(MACHINE_PAYMENT) "::smallint, 'payment')," \
	" (" CODE(MACHINE_AFTER_SALE) "::smallint, 'after_sale')," \
	" (" CODE(MACHINE_RETURN) "::smallint, 'return')," \
	" (" CODE(MACHINE_REFUND) "::smallint, 'refund')," \
	" (" CODE(MACHINE_COUPON) "::smallint, 'coupon')," \
	" (" CODE(MACHINE_FULFILMENT) "::smallint, 'fulfilment')) AS m (machine, name)"

static const char log_edges[] =
	"WITH used AS MATERIALIZED ("
	" SELECT DISTINCT machine, from_status, to_status, event"
	" FROM order_ext_internal.transition_log),"
	" illegal AS MATERIALIZED ("
	" SELECT u.*, m.name FROM used u LEFT JOIN " MACHINES " ON m.machine = u.machine"
	" WHERE NOT EXISTS ("
	"  SELECT FROM order_ext.state_graph(m.name) g"
	"  WHERE g.from_status IS NOT DISTINCT FROM"
	"    order_ext_internal.status_name(m.name, u.from_status)"
	"   AND g.to_status = order_ext_internal.status_name(m.name, u.to_status)"
	"   AND g.event = order_ext_internal.event_name(u.machine, u.event)))"
	"SELECT 'error', format('%s %s', coalesce(i.name, 'machine ' || i.machine), l.entity_id),"
	" 'a transition of state_graph()',"
	" format('version %s: %s -> %s by event %s', l.version, l.from_status, l.to_status, l.event)"
	" FROM illegal i"
	" JOIN order_ext_internal.transition_log l"
	"  ON l.machine = i.machine AND l.from_status = i.from_status"
	"  AND l.to_status = i.to_status AND l.event = i.event";

/* ---- I9: transitions and their messages, in the same transaction ---- */

/*
 * Counted per (order, transaction, topic), which finds missing, duplicate and spurious messages
 * alike. payment.close depends on the open attempts and order.pay_timeout comes from the timer:
 * neither depends on an edge alone. The horizon is the log's retention, or the last
 * enable_dispatch(), which gives all messages new transaction ids. The hour before it is also
 * read, so that the two sides of a pair, whose times differ slightly, are not separated.
 */
#define NEEDED_MESSAGES \
	"used AS MATERIALIZED (" \
	" SELECT DISTINCT machine, from_status, to_status, event" \
	" FROM order_ext_internal.transition_log" \
	" WHERE at > (SELECT at - interval '1 hour' FROM horizon))," \
	" needed AS MATERIALIZED (" \
	" SELECT u.*, t.topic_id" \
	" FROM used u JOIN " MACHINES " ON m.machine = u.machine" \
	" JOIN LATERAL order_ext.state_graph(m.name) g" \
	"  ON g.from_status IS NOT DISTINCT FROM" \
	"   order_ext_internal.status_name(m.name, u.from_status)" \
	"  AND g.to_status = order_ext_internal.status_name(m.name, u.to_status)" \
	"  AND g.event = order_ext_internal.event_name(u.machine, u.event)" \
	" CROSS JOIN LATERAL unnest(g.messages) AS message (topic)" \
	" JOIN order_ext_internal.topics t ON t.name = message.topic" \
	" WHERE t.topic_id NOT IN (" \
	CODES(TOPIC_ORDER_PAY_TIMEOUT, TOPIC_PAYMENT_CLOSE, TOPIC_REFUND_EXECUTE) "))"

/* The topics that always report transitions. */
#define FACT_TOPICS \
	"(" CODES(TOPIC_ORDER_CREATED, TOPIC_ORDER_PAID, TOPIC_ORDER_CANCELED, \
			  TOPIC_ORDER_RELEASE_ASSETS, TOPIC_ORDER_SHIPPED_OUT, TOPIC_ORDER_DELIVERING, \
			  TOPIC_ORDER_SIGNED, TOPIC_ORDER_REFUSED, TOPIC_FULFILMENT_REQUESTED, \
			  TOPIC_FULFILMENT_CANCEL_REQUESTED, TOPIC_REFUND_SUCCEEDED, TOPIC_REFUND_FAILED, \
			  TOPIC_AFTER_SALE_APPLIED, TOPIC_AFTER_SALE_REVIEWED, TOPIC_AFTER_SALE_REVOKED, \
			  TOPIC_AFTER_SALE_REFUNDED) ")"

static const char transition_messages_print[] =
	"WITH " HORIZON ", " NEEDED_MESSAGES
	"SELECT (SELECT sum(hash_record_extended(ROW(l.order_id, l.xid, n.topic_id), 0))"
	" FROM order_ext_internal.transition_log l"
	" JOIN needed n ON n.machine = l.machine AND n.from_status = l.from_status"
	"  AND n.to_status = l.to_status AND n.event = l.event"
	" WHERE l.at > (SELECT at FROM horizon))"
	" IS NOT DISTINCT FROM"
	" (SELECT sum(hash_record_extended(ROW(m.key, m.xid, m.topic_id), 0))"
	" FROM order_ext_internal.message_log m"
	" WHERE m.topic_id IN " FACT_TOPICS " AND m.published_at > (SELECT at FROM horizon))";

static const char transition_messages[] =
	"WITH " HORIZON ", " NEEDED_MESSAGES ","
	" wanted AS ("
	" SELECT l.order_id, l.xid, n.topic_id, count(*) AS n, min(l.at) AS at"
	" FROM order_ext_internal.transition_log l"
	" JOIN needed n ON n.machine = l.machine AND n.from_status = l.from_status"
	"  AND n.to_status = l.to_status AND n.event = l.event"
	" WHERE l.at > (SELECT at - interval '1 hour' FROM horizon)"
	" GROUP BY l.order_id, l.xid, n.topic_id),"
	" there AS ("
	" SELECT m.key, m.xid, m.topic_id, count(*) AS n, min(m.published_at) AS at"
	" FROM order_ext_internal.message_log m"
	" WHERE m.topic_id IN " FACT_TOPICS
	"  AND m.published_at > (SELECT at - interval '1 hour' FROM horizon)"
	" GROUP BY m.key, m.xid, m.topic_id)"
	"SELECT 'error', format('order %s topic %s', coalesce(w.order_id, m.key), t.name),"
	" format('%s message(s) in transaction %s', coalesce(w.n, 0), coalesce(w.xid, m.xid)),"
	" format('%s message(s)', coalesce(m.n, 0))"
	" FROM wanted w"
	" FULL JOIN there m ON m.key = w.order_id AND m.xid = w.xid AND m.topic_id = w.topic_id"
	" JOIN order_ext_internal.topics t ON t.topic_id = coalesce(w.topic_id, m.topic_id)"
	" WHERE w.n IS DISTINCT FROM m.n"
	"  AND least(w.at, m.at) > (SELECT at FROM horizon)";

/* ---- I10: unpaid orders have their timer ---- */

static const char timers_armed[] =
	"WITH armed AS MATERIALIZED ("
	" SELECT key FROM order_ext_internal.pending_timers"
	" WHERE topic_id = " CODE(TOPIC_ORDER_PAY_TIMEOUT)
	" UNION ALL SELECT key FROM order_ext_internal.pending_messages"
	" WHERE group_id = " CODE(TOPIC_ORDER_PAY_TIMEOUT) ")"
	"SELECT 'error', 'order ' || o.order_id,"
	" format('a timer for %s, or its message on its way', o.expire_at), 'none'"
	" FROM order_ext_internal.orders o"
	" WHERE o.status = " CODE(ORDER_CREATED)
	"  AND NOT EXISTS (SELECT FROM armed WHERE armed.key = o.order_id)";

static const char overdue_orders[] =
	"SELECT 'warning', 'order ' || o.order_id, 'canceled within a minute of its deadline',"
	" format('unpaid, overdue for %s', " AGE("o.expire_at") ")"
	" FROM order_ext_internal.orders o"
	" WHERE o.status = " CODE(ORDER_CREATED)
	"  AND o.expire_at < (SELECT clock_timestamp() - interval '1 minute')";

/* ---- I12: one applied capture exactly if the order was paid ---- */

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
	" WHERE coalesce(a.n, 0) <> CASE"
	"   WHEN o.status IN (" ORDERS_PAID ") THEN 1"
	"   WHEN o.status = " CODE(ORDER_CREATED) " OR o.paid_at IS NULL THEN 0"
	"   ELSE 1 END"
	"  OR (o.status IN (" ORDERS_PAID ") AND o.paid_at IS NULL)"
	"  OR (o.status = " CODE(ORDER_CREATED) " AND o.paid_at IS NOT NULL)"
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

/* ---- I16: idempotency keys ---- */

static const char request_results[] =
	"SELECT 'error', format('request %s of %s', r.request_id, r.function),"
	" 'a hash and a result',"
	" format('hash of %s bytes, %s', octet_length(r.request_hash),"
	"  CASE WHEN r.id IS NULL AND r.detail IS NULL THEN 'no result' ELSE 'a result' END)"
	" FROM order_ext_internal.requests r"
	" WHERE octet_length(r.request_hash) <> 16 OR (r.id IS NULL AND r.detail IS NULL)";

static const VerifyCheck checks[] = {
	{"I1", "amounts of orders and items", amounts, NULL},
	{"I2", "every capture has one purpose", capture_purpose, NULL},
	{"I2", "the purpose of a capture fits its order", capture_order, NULL},
	{"I3", "never more refunded than captured", verify_refunds_within_capture, NULL},
	{"I3", "never more gone back than captured", verify_gone_back, NULL},
	{"I3", "a refund fits its payment, after-sale and status", verify_refund_facts, NULL},
	{"I4", "money that belongs to no live order has its refund", refund_of_captures, NULL},
	{"I4", "what was paid too much goes back", verify_excess, NULL},
	{"I4", "failed refunds", verify_failed_refunds, NULL},
	{"I5", "lines go back once, for what was paid", verify_lines_back, NULL},
	{"I5", "freight goes back once, with the last piece", verify_freight_back, NULL},
	{"I6", "stock is the sum of its ledger", verify_stock_and_ledger, NULL},
	{"I6", "reserved stock is the sum of open reservations", verify_stock_and_reservations, NULL},
	{"I6", "reservations fit the status of their order", verify_reservations_and_orders, NULL},
	{"I6", "reservations are in the ledger", verify_reservations_and_ledger,
	verify_reservations_and_ledger_print},
	{"I6", "what comes back was sold", verify_stock_back, NULL},
	{"I7", "coupons are held by the order that names them", coupons_and_orders, NULL},
	{"I7", "orders hold their coupon until all of them has gone back", verify_coupons_back, NULL},
	{"I8", "the log is a chain that ends with the row", log_chain, log_chain_print},
	{"I8", "every transition is in the state graph", log_edges, NULL},
	{"I9", "transitions and messages of the same transaction", transition_messages,
	transition_messages_print},
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
	{"I10", "unpaid orders have a timer", timers_armed, NULL},
	{"I10", "overdue orders", overdue_orders, NULL},
	{"I11", "fulfilments fit their orders", verify_fulfilments_and_orders, NULL},
	{"I11", "documents fit their fulfilments", verify_fulfilment_documents, NULL},
	{"I11", "facts are parked before their turn only", verify_parked_shipments, NULL},
	{"I11", "paid orders are on their way", verify_paid_orders, NULL},
	{"I12", "one applied capture where an order was paid", applied_captures, NULL},
	{"I13", "after-sales fit their refunds", verify_after_sales_and_refunds, NULL},
	{"I13", "after-sales are the sum of their lines", verify_after_sale_amounts, NULL},
	{"I13", "goods are inspected before money goes back", verify_returns_before_refunds, NULL},
	{"I13", "returns fit their after-sales", verify_returns, NULL},
	{"I13", "what is approved is paid back", verify_approved, NULL},
	{"I15", "dead letters", dead_letters, NULL},
	{"I15", "groups that have stopped consuming", verify_backlog, NULL},
	{"I15", "dispatch is enabled", verify_dispatch_enabled, NULL},
	{"I15", "workers answer", verify_workers_answer, NULL},
	{"I15", "library and SQL objects are of one version", verify_versions, NULL},
	{"I15", "groups whose role cannot run", verify_roles, NULL},
	{"I15", "a risk check that cannot run", verify_risk_check, NULL},
	{"I15", "roles whose names a dump would get wrong", verify_role_names, NULL},
	{"I15", "topics without an owner", verify_topic_owners, NULL},
	{"I15", "a log that grows", verify_log_size, NULL},
	{"I15", "retries that are not run", verify_late_retries, NULL},
	{"I15", "leases that ran out", verify_ended_leases, NULL},
	{"I15", "held and unmatched money", held_money, NULL},
	{"I15", "held facts", verify_held_facts, NULL},
	{"I15", "pay types and trade numbers have one spelling", verify_pay_type_spelling, NULL},
	{"I15", "refunds without an answer", verify_expired_leases, NULL},
	{"I15", "refunds that wait", verify_waiting_refunds, NULL},
	{"I15", "facts that came early", verify_waiting_shipments, NULL},
	{"I15", "cancels that a warehouse has not answered", verify_unanswered_cancels, NULL},
	{"I15", "after-sales that wait", verify_waiting_after_sales, NULL},
	{"I15", "regions have one spelling", verify_catalog_regions, NULL},
	{"I15", "channels have one spelling", verify_catalog_channels, NULL},
	{"I16", "requests have a hash and a result", request_results, NULL},
	{"I17", "tables have their guards", verify_guards, NULL},
	{"I17", "nothing foreign is attached to tables and views", verify_hangers_on, NULL},
	{"I17", "the owner is not a usable role", verify_owner, NULL},
	{"I17", "no one has privileges on tables", verify_table_rights, NULL},
	{"I17", "sequences are ahead of their tables", verify_sequences, NULL},
	{"I17", "functions run as roles that may", verify_registered_roles, NULL}
};

int
verify_checks(const VerifyCheck **all)
{
	*all = checks;
	return lengthof(checks);
}

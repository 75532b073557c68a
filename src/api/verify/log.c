/*
 * log.c
 *		The checks of verify() about the transition log, I8, and its messages, I9; see
 *		queries.c.
 */
#include "compat.h"

#include "api/verify/log.h"
#include "machine/base/machine.h"

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

const char	verify_log_chain[] =
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
	"   ', ' ORDER BY l.version) FROM " LOOKED_UP("transition_log") " l"
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

/* Of the transitions in used, those that are not in the state graph. */
#define ILLEGAL_EDGES \
	"illegal AS MATERIALIZED (" \
	" SELECT u.*, m.name FROM used u LEFT JOIN " MACHINES " ON m.machine = u.machine" \
	" WHERE NOT EXISTS (" \
	"  SELECT FROM order_ext.state_graph(m.name) g" \
	"  WHERE g.from_status IS NOT DISTINCT FROM" \
	"    order_ext_internal.status_name(m.name, u.from_status)" \
	"   AND g.to_status = order_ext_internal.status_name(m.name, u.to_status)" \
	"   AND g.event = order_ext_internal.event_name(u.machine, u.event)))"

const char	verify_log_edges[] =
	"WITH used AS MATERIALIZED ("
	" SELECT DISTINCT machine, from_status, to_status, event"
	" FROM order_ext_internal.transition_log),"
	ILLEGAL_EDGES
	"SELECT 'error', format('%s %s', coalesce(i.name, 'machine ' || i.machine), l.entity_id),"
	" 'a transition of state_graph()',"
	" format('version %s: %s -> %s by event %s', l.version, l.from_status, l.to_status, l.event)"
	" FROM illegal i"
	" JOIN order_ext_internal.transition_log l"
	"  ON l.machine = i.machine AND l.from_status = i.from_status"
	"  AND l.to_status = i.to_status AND l.event = i.event";

#define SUMS_OF_MACHINE(machine, table) \
	" UNION ALL SELECT " CODE(machine) ", 0, versions, 0, chain FROM " table

/* For both checks of the log: of each machine, as many steps as versions, and the same links. */
const char	verify_log_print[] =
	"WITH used AS MATERIALIZED (SELECT machine, from_status, to_status, event FROM log_sums),"
	ILLEGAL_EDGES
	"SELECT NOT EXISTS (SELECT FROM illegal)"
	" AND NOT EXISTS (SELECT FROM ("
	"  SELECT machine, n AS steps, 0 AS versions, chain, 0 AS entities FROM log_sums"
	SUMS_OF_MACHINE(MACHINE_ORDER, "orders_sums")
	SUMS_OF_MACHINE(MACHINE_PAYMENT, "payments_sums")
	SUMS_OF_MACHINE(MACHINE_FULFILMENT, "fulfilments_sums")
	SUMS_OF_MACHINE(MACHINE_COUPON, "coupons_sums")
	"  UNION ALL SELECT machine, 0, versions, 0, chain FROM other_sums) s"
	"  GROUP BY machine HAVING sum(steps) <> coalesce(sum(versions), 0)"
	"   OR order_ext_internal.hash_sum(chain) <> order_ext_internal.hash_sum(entities))";

/* ---- I9: transitions and their messages, in the same transaction ---- */

/*
 * Counted per (order, transaction, topic), which finds missing, duplicate and spurious messages
 * alike. payment.close depends on the open attempts and order.pay_timeout comes from the timer:
 * neither depends on an edge alone. Versions before 0.7 did not publish order.address_changed. The
 * horizon is the log's retention, or the last
 * enable_dispatch(), which gives all messages new transaction ids. The hour before it is also
 * read, so that the two sides of a pair, whose times differ slightly, are not separated.
 */
#define USED_LATELY(log) \
	"used AS MATERIALIZED (" \
	" SELECT DISTINCT machine, from_status, to_status, event" \
	" FROM " log \
	" WHERE at > (SELECT at - interval '1 hour' FROM horizon))"

/* The messages of the transitions in used. */
#define NEEDED_MESSAGES \
	"needed AS MATERIALIZED (" \
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
	CODES(TOPIC_ORDER_PAY_TIMEOUT, TOPIC_PAYMENT_CLOSE, TOPIC_REFUND_EXECUTE, \
		  TOPIC_ORDER_ADDRESS_CHANGED) "))"

/* The topics that always report transitions. */
#define FACT_TOPICS \
	"(" CODES(TOPIC_ORDER_CREATED, TOPIC_ORDER_PAID, TOPIC_ORDER_CANCELED, \
			  TOPIC_ORDER_RELEASE_ASSETS, TOPIC_ORDER_SHIPPED_OUT, TOPIC_ORDER_DELIVERING, \
			  TOPIC_ORDER_SIGNED, TOPIC_ORDER_REFUSED, TOPIC_FULFILMENT_REQUESTED, \
			  TOPIC_FULFILMENT_CANCEL_REQUESTED, TOPIC_REFUND_SUCCEEDED, TOPIC_REFUND_FAILED, \
			  TOPIC_AFTER_SALE_APPLIED, TOPIC_AFTER_SALE_REVIEWED, TOPIC_AFTER_SALE_REVOKED, \
			  TOPIC_AFTER_SALE_REFUNDED) ")"

const char	verify_transition_messages_print[] =
	"WITH used AS MATERIALIZED (SELECT machine, from_status, to_status, event FROM log_sums),"
	NEEDED_MESSAGES
	"SELECT NOT EXISTS (SELECT FROM ("
	"  SELECT n.topic_id, l.steps, 0 AS messages"
	"   FROM log_sums l JOIN needed n USING (machine, from_status, to_status, event)"
	"  UNION ALL SELECT topic_id, 0, steps FROM messages_sums WHERE topic_id IN " FACT_TOPICS ") s"
	"  GROUP BY topic_id"
	"  HAVING order_ext_internal.hash_sum(steps) <> order_ext_internal.hash_sum(messages))";

#define TRANSITION_MESSAGES(log, messages) \
	"WITH " HORIZON ", " USED_LATELY(log) ", " NEEDED_MESSAGES "," \
	" wanted AS (" \
	" SELECT l.order_id, l.xid, n.topic_id, count(*) AS n, min(l.at) AS at" \
	" FROM " log " l" \
	" JOIN needed n ON n.machine = l.machine AND n.from_status = l.from_status" \
	"  AND n.to_status = l.to_status AND n.event = l.event" \
	" WHERE l.at > (SELECT at - interval '1 hour' FROM horizon)" \
	" GROUP BY l.order_id, l.xid, n.topic_id)," \
	" there AS (" \
	" SELECT m.key, m.xid, m.topic_id, count(*) AS n, min(m.published_at) AS at" \
	" FROM order_ext_internal.message_log m" \
	" WHERE m.topic_id IN " FACT_TOPICS messages \
	"  AND m.published_at > (SELECT at - interval '1 hour' FROM horizon)" \
	" GROUP BY m.key, m.xid, m.topic_id)" \
	"SELECT 'error', format('order %s topic %s', coalesce(w.order_id, m.key), t.name)," \
	" format('%s message(s) in transaction %s', coalesce(w.n, 0), coalesce(w.xid, m.xid))," \
	" format('%s message(s)', coalesce(m.n, 0))" \
	" FROM wanted w" \
	" FULL JOIN there m ON m.key = w.order_id AND m.xid = w.xid AND m.topic_id = w.topic_id" \
	" JOIN order_ext_internal.topics t ON t.topic_id = coalesce(w.topic_id, m.topic_id)" \
	" WHERE w.n IS DISTINCT FROM m.n" \
	"  AND least(w.at, m.at) > (SELECT at FROM horizon)"

const char	verify_transition_messages[] =
	TRANSITION_MESSAGES("order_ext_internal.transition_log", "");

const char	verify_transition_messages_recent[] =
	TRANSITION_MESSAGES("recent_steps",
	" AND m.xid >= pg_snapshot_xmin($2)"
	" AND NOT pg_visible_in_snapshot(m.xid, $2)");

/*
 * check.h
 *		A check of verify(), and what the queries of several need.
 */
#ifndef ORDER_EXT_VERIFY_CHECK_H
#define ORDER_EXT_VERIFY_CHECK_H

/*
 * One check of an invariant: a query that returns (severity, entity, expected, actual), all text,
 * and no row if all is well.
 */
typedef struct VerifyCheck
{
	const char *invariant;
	const char *name;			/* what it checks, for errcontext */
	const char *sql;
	const char *fingerprint;	/* a cheap query that returns true if all is well; or NULL. Checks
								 * that follow each other may have one for all of them */
} VerifyCheck;

/* The keys that built-in groups still have to process, of pending_keys; a table for WITH. */
#define PENDING_KEYS(groups) \
	"pending AS MATERIALIZED (SELECT DISTINCT key FROM pending_keys" \
	" WHERE group_id IN (" groups "))"

/*
 * SQL: the table pending_keys, of all groups that checks ask for. One group after the other: with a
 * list of them the planner would read the whole log.
 */
#define ALL_PENDING_KEYS \
	"SELECT DISTINCT g.id AS group_id, m.key FROM unnest('{" \
	CODES(TOPIC_ORDER_PAID, TOPIC_ORDER_RELEASE_ASSETS, TOPIC_STOCK_RELEASE, \
		  TOPIC_COUPON_RELEASE, TOPIC_REFUND_PREPARE) "}'::integer[]) AS g (id)" \
	" CROSS JOIN LATERAL (SELECT key FROM order_ext_internal.pending_messages" \
	"  WHERE group_id = g.id OFFSET 0) m"

/* SQL: the newest fold of each product; before: rows of earlier transactions are covered. */
#define NEWEST_FOLDS \
	"SELECT DISTINCT ON (product_id) *, pg_snapshot_xmin(covered) AS before" \
	" FROM order_ext_internal.stock_folds ORDER BY product_id, fold_id DESC"

/* SQL: the time since which the message log is complete; the same throughout a run. */
#define HORIZON_AT \
	"SELECT greatest(max(stamped_at)," \
	"  statement_timestamp() - current_setting('order_ext.log_retention')::interval," \
	"  (SELECT max(moved_at) FROM order_ext_internal.ring_moves WHERE ring = 'log_gone')) AS at" \
	" FROM order_ext_internal.database_stamp"

/* A table for WITH. */
#define HORIZON "horizon AS MATERIALIZED (" HORIZON_AT ")"

/* SQL: of a refund r that was withdrawn, only what the gateway had not paid of it before. */
#define REFUND_DECIDED \
	"CASE WHEN r.status IN (" REFUNDS_NOT_WITHDRAWN ") OR r.kept THEN greatest(r.amount, r.asked)" \
	" ELSE greatest(r.asked - r.amount, 0) END"

/*
 * What was decided about the money of payments: it goes back, or staff keeps it, or the gateway
 * paid less than it was asked for. A table (payment_id, amount).
 */
#define MONEY_DECIDED \
	"SELECT r.payment_id, sum(" REFUND_DECIDED ") AS amount" \
	" FROM order_ext_internal.refunds r GROUP BY r.payment_id"

/*
 * SQL: a table whose rows are looked up by a key, one at a time, whatever a check is about: the
 * recent check reads copies of tables, which have no index (recent.h), but of this the table
 * itself. OFFSET 0 keeps the planner from joining what is looked up.
 */
#define LOOKED_UP(table) "order_ext_internal.\"" table "\""

/* What was decided about the money of one payment. */
#define MONEY_DECIDED_OF(payment) \
	"SELECT " REFUND_DECIDED " AS amount FROM " LOOKED_UP("refunds") " r" \
	" WHERE r.payment_id = " payment

#define AGE(since) "date_trunc('second', clock_timestamp() - " since ")::text"

#endif							/* ORDER_EXT_VERIFY_CHECK_H */

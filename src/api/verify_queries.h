/*
 * verify_queries.h
 *		The checks of verify().
 */
#ifndef ORDER_EXT_VERIFY_QUERIES_H
#define ORDER_EXT_VERIFY_QUERIES_H

/*
 * One check of an invariant: a query that returns (severity, entity, expected,
 * actual), all text, and no row where all is well.
 */
typedef struct VerifyCheck
{
	const char *invariant;
	const char *name;			/* what it checks, for errcontext */
	const char *sql;
	const char *fingerprint;	/* a cheap query that says true where all is well; or NULL */
} VerifyCheck;

/* The keys that built-in groups still have to work off; a table of a WITH. */
#define PENDING_KEYS(groups) \
	"pending AS MATERIALIZED (" \
	" SELECT DISTINCT key FROM order_ext_internal.pending_messages" \
	" WHERE group_id IN (" groups "))"

/* Since when the message log holds everything; a table of a WITH. */
#define HORIZON \
	"horizon AS MATERIALIZED (" \
	" SELECT greatest(max(stamped_at)," \
	"  clock_timestamp() - current_setting('order_ext.log_retention')::interval," \
	"  (SELECT max(moved_at) FROM order_ext_internal.ring_moves WHERE ring = 'log_gone')) AS at" \
	" FROM order_ext_internal.database_stamp)"

#define AGE(since) "date_trunc('second', clock_timestamp() - " since ")::text"

/* The checks about stock, in verify_stock.c. */
extern const char verify_stock_and_ledger[];
extern const char verify_stock_and_reservations[];
extern const char verify_reservations_and_orders[];
extern const char verify_reservations_and_ledger_print[];
extern const char verify_reservations_and_ledger[];

/* The checks about fulfilment, in verify_fulfilment.c. */
extern const char verify_fulfilments_and_orders[];
extern const char verify_fulfilment_documents[];
extern const char verify_parked_shipments[];
extern const char verify_paid_orders[];
extern const char verify_held_shipments[];
extern const char verify_waiting_shipments[];
extern const char verify_unanswered_cancels[];

/* The checks about refunds and after-sales, in verify_refunds.c. */
extern const char verify_refunds_within_capture[];
extern const char verify_refund_facts[];
extern const char verify_excess[];
extern const char verify_failed_refunds[];
extern const char verify_after_sales_and_refunds[];
extern const char verify_after_sale_amounts[];
extern const char verify_returns_before_refunds[];
extern const char verify_expired_leases[];
extern const char verify_waiting_refunds[];
extern const char verify_refund_events[];
extern const char verify_payment_notices[];
extern const char verify_gateways[];

/* The checks about what goes back, in verify_after_sales.c. */
extern const char verify_lines_back[];
extern const char verify_freight_back[];
extern const char verify_stock_back[];
extern const char verify_coupons_back[];
extern const char verify_returns[];
extern const char verify_approved[];
extern const char verify_waiting_after_sales[];
extern const char verify_held_returns[];

/* The checks about the message log, in verify_messages.c. */
extern const char verify_cursors_ahead[];
extern const char verify_cursors_forward[];
extern const char verify_parked[];
extern const char verify_kept_groups[];
extern const char verify_kept_once[];
extern const char verify_kept_logged[];
extern const char verify_consumed[];
extern const char verify_segments[];
extern const char verify_log_rows[];
extern const char verify_dedup[];
extern const char verify_backlog[];
extern const char verify_roles[];
extern const char verify_log_size[];
extern const char verify_late_retries[];
extern const char verify_timers[];

/* The checks about external consumers, in verify_leases.c. */
extern const char verify_leases_end[];
extern const char verify_ended_leases[];

/* All checks, ordered by invariant; returns their number. */
extern int	verify_checks(const VerifyCheck **checks);

#endif							/* ORDER_EXT_VERIFY_QUERIES_H */

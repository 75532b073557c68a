/*
 * refund.h
 *		The refund machine. Everything here runs under the refund lock of the order.
 *
 * requested -> submitted (claimed, committed before the gateway is called) -> succeeded or
 * failed. An unknown outcome changes nothing: after the lease has expired, the gateway is called
 * again with the same refund id.
 */
#ifndef ORDER_EXT_MACHINE_REFUND_H
#define ORDER_EXT_MACHINE_REFUND_H

#include "machine/journal.h"

typedef struct Refund
{
	int64		refund_id;
	int64		order_id;
	int64		payment_id;
	int64		after_sale_id;	/* 0 = none */
	int64		user_id;		/* 0 = the order is not known */
	int64		amount;
	TimestampTz lease_until;	/* while submitted */
	uint64		claim_xid;		/* 0 = never claimed */
	int32		order_version;	/* 0 = the order is not known */
	int32		version;
	int32		attempt;
	int16		status;
	bool		held;
	char	   *currency;
	char	   *pay_type;
	char	   *out_trade_no;
	char	   *gateway_refund_no;	/* or NULL */
} Refund;

/* SQL: whether after-sale a cannot be paid back yet, or no longer. */
#define AFTER_SALE_WAITS \
	"(a.status NOT IN (" CODES(AFTER_SALE_APPROVED, AFTER_SALE_REFUNDING, AFTER_SALE_FAILED) ")" \
	" OR (a.type = " CODE(AFTER_SALE_RETURN_REFUND) \
	" AND a.return_status IS DISTINCT FROM " CODE(RETURN_INSPECTED) "))"

/*
 * SQL: joins "rest", what is left of payment p. A failed refund counts as long as it can be
 * retried, that is, unless its after-sale was rejected, closed or revoked.
 */
#define LEFT_OF_PAYMENT \
	" CROSS JOIN LATERAL (SELECT p.amount - coalesce(sum(r.amount), 0)::bigint AS amount" \
	"   FROM order_ext_internal.refunds r" \
	"   LEFT JOIN order_ext_internal.after_sales s ON s.after_sale_id = r.after_sale_id" \
	"   WHERE r.payment_id = p.payment_id AND (r.status IN (" REFUNDS_LIVE ")" \
	"    OR (r.status = " CODE(REFUND_FAILED) \
	"     AND (s.status IS NULL OR s.status NOT IN (" AFTER_SALES_GIVEN_UP "))))) AS rest"

/* ---- reading ---- */

/* Read a refund in a new statement; false, or OE001, if it does not exist. */
extern bool refund_read(int64 refund_id, Refund *refund);
extern void refund_read_or_fail(int64 refund_id, Refund *refund);

/* The refunds with these ids that are submitted, in id order. */
extern Refund *refunds_read_submitted(const int64 *refund_ids, int n, int *n_refunds);

/*
 * Those of the refunds for which an external worker holds a lease at the given time although
 * their pay type now has a gateway in the database.
 */
extern Refund *refunds_read_claimed_outside(const int64 *refund_ids, int n, TimestampTz now,
											int *n_refunds);

/* The first refund of a payment; 0 if there is none. */
extern int64 refund_of_payment(int64 payment_id);

/* ---- moving ---- */

/* The answer of the gateway; stored with the refund. */
typedef struct RefundWords
{
	const char *outcome;
	const char *gateway_refund_no;	/* or NULL */
	Jsonb	   *raw;			/* or NULL */
} RefundWords;

/*
 * Move a refund along an edge, with its log row and messages; the given row is updated. words may
 * be NULL. 40001 if it is in another status. The caller must update the after-sale:
 * after_sales_follow().
 */
extern void refund_fire(Journal *journal, Refund *refund, Event event, char actor,
						const RefundWords *words);

/* Store the gateway's answer for a refund that does not move. */
extern void refund_note(int64 refund_id, const RefundWords *words);

/* The claimant name for gateways in the database; external workers cannot use it. */
#define REFUND_WORKER_NAME "order_ext"

/* What a claim is for. */
typedef struct RefundClaim
{
	const char *worker;
	int64		lease;			/* microseconds */
	bool		in_database;	/* pay types with a gateway in the database, or those without */
	bool		backoff;		/* the lease doubles with every attempt, up to 64 times */
} RefundClaim;

/*
 * Claim those of the refunds that can be claimed: requested and not held back, or submitted with
 * an expired lease; returned goods must have been inspected. Returns the claimed ones in id
 * order; the after-sales follow.
 */
extern Refund *refunds_claim(Journal *journal, const int64 *refund_ids, int n,
							 const RefundClaim *claim, int *n_claimed);

/*
 * Withdraw the requested refunds of an after-sale. Returns false without doing anything if one of
 * its refunds has been claimed.
 */
extern bool refunds_withdraw(Journal *journal, int64 after_sale_id, char actor);

/*
 * Notify the workers of waiting refunds, of one pay type or all (NULL), after their gateway was
 * set. However many there are: they are read in batches.
 */
extern void refunds_publish_waiting(const char *pay_type);

/* Notify the workers of a requested refund. */
extern void refund_publish_execute(Journal *journal, const Refund *refund);

/* Payload of refund.execute; phase NULL: the refund is to be claimed. */
extern Jsonb *refund_execute_payload(const Refund *refund, const char *phase);

#endif							/* ORDER_EXT_MACHINE_REFUND_H */

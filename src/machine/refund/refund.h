/*
 * refund.h
 *		The refund machine. Everything here runs under the refund lock of the order.
 *
 * requested -> submitted (claimed, committed before the gateway is called) -> succeeded or
 * failed. An unknown outcome changes nothing: after the lease has expired, the gateway is called
 * again with the same refund id.
 */
#ifndef ORDER_EXT_MACHINE_REFUND_REFUND_H
#define ORDER_EXT_MACHINE_REFUND_REFUND_H

#include "machine/base/journal.h"
#include "machine/payment/money_left.h"

#define MAX_REFUND_NO_CHARS 128

typedef struct Refund
{
	int64		refund_id;
	int64		order_id;
	int64		payment_id;
	int64		after_sale_id;	/* 0 = none */
	int64		user_id;		/* 0 = the order is not known */
	int64		amount;
	int64		asked;			/* what it stands for: more if the gateway has paid less */
	TimestampTz lease_until;	/* while submitted */
	uint64		claim_xid;		/* 0 = never claimed */
	int32		order_version;	/* 0 = the order is not known */
	int32		version;
	int32		attempt;
	int16		status;
	bool		held;
	bool		kept;			/* withdrawn by staff, who keeps the money */
	RefundCause cause;
	TimestampTz claim_after;	/* DT_NOBEGIN: at any time */
	int64		payment_amount;
	char	   *reason;			/* of the refund or its after-sale, or NULL */
	char	   *currency;
	char	   *pay_type;
	char	   *out_trade_no;
	char	   *gateway_refund_no;	/* or NULL */
	char	   *external_id;	/* of the order, or NULL */
} Refund;

/*
 * SQL: whether the refunds of after-sale a must not be claimed: it is not approved yet, or has
 * ended. Goods that are sent back have a refund only once they have been inspected.
 */
#define AFTER_SALE_BARS_REFUND "a.status NOT IN (" AFTER_SALES_APPROVED ")"

/* SQL: what refund_rows() reads, of a refund r with its payment p and its order o, if known. */
#define REFUND_COLUMNS \
	" r.refund_id, r.order_id, r.payment_id, r.after_sale_id, o.user_id, r.amount," \
	" r.lease_until, coalesce(r.claim_xid, '0'), o.version, r.version, r.attempt, r.status," \
	" r.held, r.currency, p.pay_type, p.out_trade_no, r.gateway_refund_no, r.kept, r.cause," \
	" r.claim_after, p.amount, coalesce(r.reason, (SELECT a.reason" \
	"  FROM order_ext_internal.after_sales a WHERE a.after_sale_id = r.after_sale_id))," \
	" o.external_id, coalesce(r.asked, r.amount)"
#define N_REFUND_COLUMNS 24
#define FROM_REFUNDS \
	" FROM order_ext_internal.refunds r" \
	" JOIN order_ext_internal.payments p ON p.payment_id = r.payment_id" \
	" LEFT JOIN order_ext_internal.orders o ON o.order_id = r.order_id"

/* ---- reading ---- */

/* The refunds that the last statement returned n rows of: REFUND_COLUMNS FROM_REFUNDS. */
extern Refund *refund_rows(int n);

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

/*
 * SQL: from when on refund r can be claimed, as far as its row tells; NULL if it cannot. Index
 * refunds_open has it for each pay type, in the same words.
 */
#define REFUND_CLAIMABLE_FROM \
	"CASE WHEN r.status = " CODE(REFUND_SUBMITTED) " THEN greatest(r.lease_until, r.claim_after)" \
	" WHEN NOT r.held THEN greatest(r.requested_at, r.claim_after) END"

/*
 * SQL: whether refund r must not be claimed at the time: its money is in dispute, or has to wait.
 */
#define REFUND_WAITS(now) \
	"(coalesce(r.claim_after > " now ", false)" \
	" OR EXISTS (SELECT FROM order_ext_internal.disputes d" \
	" WHERE d.payment_id = r.payment_id AND d.status = " CODE(DISPUTE_OPENED) "))"

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
 * after_sales_follow_refunds().
 */
extern void refund_fire(Journal *journal, Refund *refund, Event event, char actor,
						const RefundWords *words);

/* Journal a refund that has moved along an edge, with its messages. */
extern void refund_journal_move(Journal *journal, const Edge *edge, const Refund *refund,
								char actor);

/* Journal a refund that came to be along the edge, with its messages. */
extern void refund_journal(Journal *journal, const Edge *edge, const Refund *refund,
						   char actor, Jsonb *detail);

/* Store the gateway's answer for a refund that does not move. */
extern void refund_note(int64 refund_id, const RefundWords *words);

/* The claimant name for gateways in the database; external workers cannot use it. */
#define REFUND_WORKER_NAME "order_ext"

/* What a claim is for. */
typedef struct RefundClaim
{
	const char *worker;
	int64		lease;			/* microseconds */
	const char *const *pay_types;	/* only these; NULL: all */
	int			n_pay_types;
	bool		in_database;	/* pay types with a gateway in the database, or those without */
	bool		backoff;		/* the lease doubles with every attempt, up to 64 times */
} RefundClaim;

/*
 * Claim those of the refunds that can be claimed: requested and not held back, or submitted with
 * an expired lease; returned goods must have been inspected. Returns the claimed ones in id
 * order; the caller must update the after-sales: after_sales_follow_refunds().
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

/* The same for the refunds of a payment whose dispute has ended. */
extern void refunds_publish_of_payment(Journal *journal, int64 payment_id);

/* Notify the workers of a requested refund, once it may be claimed. */
extern void refund_publish_execute(Journal *journal, const Refund *refund);

/* Payload of refund.execute; phase NULL: the refund is to be claimed. */
extern Jsonb *refund_execute_payload(const Refund *refund, const char *phase);

#endif							/* ORDER_EXT_MACHINE_REFUND_REFUND_H */

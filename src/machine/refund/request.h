/*
 * request.h
 *		Requesting refunds.
 */
#ifndef ORDER_EXT_MACHINE_REFUND_REQUEST_H
#define ORDER_EXT_MACHINE_REFUND_REQUEST_H

#include "machine/refund/refund.h"

/*
 * Request the refund of what is left of a capture, whatever was refunded of it before: the gateway
 * may have paid less than it was asked for. Returns the refund id, or 0 if nothing is left.
 */
extern int64 refund_request_rest(Journal *journal, int64 payment_id, RefundCause cause,
								 char actor);

/* What a refund has to wait for before it may be claimed. */
typedef struct RefundTerms
{
	bool		held;			/* for retry_refund */
	TimestampTz claim_after;	/* 0: for no time */
} RefundTerms;

/*
 * Request the refund of a capture. Returns the refund id, or 0 if there is nothing to refund (the
 * amount is 0, or the refund exists).
 */
extern int64 refund_request_on_terms(Journal *journal, int64 payment_id, RefundCause cause,
									 const RefundTerms *terms, char actor);

/* Request the refund of a part of a capture (at most what is left); 0 as above. */
extern int64 refund_request_part(Journal *journal, int64 payment_id, RefundCause cause,
								 int64 amount, char actor);

/*
 * Request the refunds of canceled orders: one per applied capture, linked to the after-sale of
 * the cancellation, and one per held capture, unless already refunded. A second call does
 * nothing.
 */
extern void refunds_request_for_canceled(Journal *journal, const int64 *order_ids, int n);

/*
 * Request the refund of an after-sale's amount from its order's applied capture. Returns
 * the refund id; 0 if the amount is 0 or it exists. Raises OE901 if less than that is left.
 */
extern int64 refund_request_for_after_sale(Journal *journal, int64 after_sale_id, char actor);

/*
 * The same for a part of it, which a fact about its goods has made due: of each fact there is one.
 */
extern int64 refund_request_for_fact(Journal *journal, int64 after_sale_id, int64 amount,
									 int64 fact_id, char actor);

/*
 * Record that a refund was requested, along the edge: its log row, and the message to execute it
 * unless it is held back.
 */
extern void refund_request_journal(Journal *journal, const Edge *edge, const Refund *refund,
								   char actor);

#endif							/* ORDER_EXT_MACHINE_REFUND_REQUEST_H */

/*
 * refund.h
 *		The refund machine.
 */
#ifndef ORDER_EXT_MACHINE_REFUND_H
#define ORDER_EXT_MACHINE_REFUND_H

#include "machine/journal.h"

/* Why money goes back. */
typedef enum RefundCause
{
	CAUSE_CANCEL = 1,
	CAUSE_LATE,
	CAUSE_SURPLUS,
	CAUSE_HELD,
	CAUSE_UNMATCHED,
	CAUSE_AFTER_SALE
} RefundCause;

/*
 * Request the refund of one capture in full; the order's refund lock is held. Returns
 * the refund id, or 0 where there is nothing to refund (amount 0, or it exists).
 */
extern int64 refund_request(Journal *journal, int64 payment_id, RefundCause cause, char actor);

/*
 * Request the refunds of canceled orders: one per applied or held capture that is not
 * fully refunded. The orders' refund locks are held. A second time does nothing.
 */
extern void refunds_request_for_canceled(Journal *journal, const int64 *order_ids, int n);

/* The first refund of a payment; 0 if there is none. */
extern int64 refund_of_payment(int64 payment_id);

#endif							/* ORDER_EXT_MACHINE_REFUND_H */

/*
 * decision.h
 *		What staff, and facts from outside, decide about refunds that were requested. The refund
 *		lock of the order is held.
 */
#ifndef ORDER_EXT_MACHINE_REFUND_DECISION_H
#define ORDER_EXT_MACHINE_REFUND_DECISION_H

#include "machine/refund/refund.h"

/*
 * The refunds of a payment that are open but not claimed, or can be retried: those of this amount
 * first, then failed ones, then the oldest.
 */
extern Refund *refunds_read_unclaimed(int64 payment_id, int64 amount, int *n);

/* The refunds of a payment that staff has withdrawn to keep the money, the oldest first. */
extern Refund *refunds_read_kept(int64 payment_id, int *n);

/* Whether money of the payment has gone back, or may have: a refund was ever claimed, or failed. */
extern bool refund_has_moved(int64 payment_id);

/* Whether a refund of the payment is claimed: of this amount, or of any (0). */
extern bool refund_is_claimed(int64 payment_id, int64 amount);

/* Reduce a refund that nobody has claimed by an amount that is less than its own. */
extern void refund_reduce(Journal *journal, Refund *refund, int64 by);

/*
 * Withdraw a refund that nobody has claimed: its money stays, for a reason, unless staff has it
 * requested again.
 */
extern void refund_keep(Journal *journal, Refund *refund, char actor, const char *reason);

/*
 * The other withdrawn refunds of its after-sale cannot be requested again: this one will be, for
 * all of them.
 */
extern void refunds_forget_kept(const Refund *refund);

/*
 * Request such a refund again, for an amount, which is left. Anew: its after-sale was priced again,
 * so what the gateway had not paid of it before no longer counts.
 */
extern void refund_revive(Journal *journal, Refund *refund, int64 amount, bool anew);

/* The gateway has paid another amount than asked for: it is the refund's from now on. */
extern void refund_set_amount(Refund *refund, int64 amount, const char *reason);

#endif							/* ORDER_EXT_MACHINE_REFUND_DECISION_H */

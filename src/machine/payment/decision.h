/*
 * decision.h
 *		What staff decides about captures, and what banks do with them: duplicates, captures of
 *		other orders, disputes.
 */
#ifndef ORDER_EXT_MACHINE_PAYMENT_DECISION_H
#define ORDER_EXT_MACHINE_PAYMENT_DECISION_H

#include "machine/payment/payment.h"

/* Whether the order has another capture, itself no duplicate. */
extern bool payment_has_company(int64 order_id, int64 payment_id);

/*
 * Another capture of the order, itself no duplicate, of the same amount and currency; of several,
 * the one that paid the order, if it is among them. 0 if there is none.
 */
extern int64 payment_twin(const Payment *payment);

/* Whether another record is a duplicate of this one. */
extern bool payment_has_duplicates(int64 order_id, int64 payment_id);

/* The capture whose money this record tells of: itself, unless it is a duplicate. */
extern int64 payment_of_money(int64 payment_id);

/*
 * Move a captured payment along an edge that leads back to its status: EVENT_ASSIGN, _DUPLICATE,
 * _NOT_DUPLICATE, _DISPUTE_*; detail may be NULL. 40001 if another transaction has changed it.
 */
extern void payment_note(Journal *journal, Payment *payment, Event event, char actor,
						 Jsonb *detail);

/*
 * The payment tells of the money of another one: it becomes its duplicate, as do its duplicates.
 * And back to what it was: money of its own. The order's refund lock is held.
 */
extern void payment_set_duplicate(Journal *journal, Payment *payment, int64 duplicate_of);
extern void payment_unset_duplicate(Journal *journal, Payment *payment);

/* The payment is moved to the order of the capture, with its currency, and for the purpose. */
extern void payment_assign(Journal *journal, Payment *payment, const Capture *capture,
						   PaymentPurpose purpose);

#endif							/* ORDER_EXT_MACHINE_PAYMENT_DECISION_H */

/*
 * cancel.h
 *		The cancellation of orders: one way for buyer, staff, timer and sweep.
 */
#ifndef ORDER_EXT_MACHINE_CANCEL_H
#define ORDER_EXT_MACHINE_CANCEL_H

#include "machine/order.h"

/*
 * Cancel orders, all in the same status and with their cancel locks held: the move, the
 * request to close open payment attempts, and the release message, in the journal.
 */
extern void cancel_orders_locked(Journal *journal, Order *orders, int n, Event event, char actor,
								 const OrderChange *change, Jsonb *detail);

/*
 * Cancel those of the orders that are unpaid and due now, with the locks that are free;
 * never waits. busy[i] is set where the lock of ids[i] was not free, or the lock budget
 * of a transaction was used up. Returns the number canceled.
 */
extern int	cancel_expired(const int64 *ids, int n, bool *busy);

/* How many object locks one transaction may take: a tenth of the lock table. */
extern int	lock_budget(void);

#endif							/* ORDER_EXT_MACHINE_CANCEL_H */

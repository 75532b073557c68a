/*
 * cancel.h
 *		The cancellation of orders: one path for buyer, staff, timer, sweep and warehouse.
 */
#ifndef ORDER_EXT_MACHINE_CANCEL_CANCEL_H
#define ORDER_EXT_MACHINE_CANCEL_CANCEL_H

#include "machine/shipment/fulfilment.h"

typedef enum CancelOutcome
{
	CANCEL_DONE,				/* the order is canceled */
	CANCEL_ASKED,				/* the external warehouse has now been asked */
	CANCEL_PENDING,				/* it was asked before and has not answered; nothing was done */
	CANCEL_REFUSED				/* it has refused; nothing was done */
} CancelOutcome;

/*
 * Cancel one order, from any status that can be canceled, with its cancel lock held, and
 * intercept its fulfillment in the same transaction: by a tombstone if there is none yet,
 * directly in our own warehouse, by a request to an external one.
 */
extern CancelOutcome cancel_order_locked(Journal *journal, Order *order, char actor,
										 const OrderChange *change, Jsonb *detail);

/* The external warehouse has stopped the parcel: the requested cancellation is carried out. */
extern void cancel_intercepted(Journal *journal, Order *order, Fulfilment *fulfilment,
							   const char *event_id);

/*
 * Cancel those of the orders that are unpaid and due and whose locks are free; never waits.
 * busy[i] says that the lock of ids[i] was not taken (lock_try_all). Returns the number canceled.
 */
extern int	cancel_expired(const int64 *ids, int n, bool *busy);

#endif							/* ORDER_EXT_MACHINE_CANCEL_CANCEL_H */

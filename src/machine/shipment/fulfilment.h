/*
 * fulfilment.h
 *		The fulfillment machine: what the warehouse and the carrier do for an order, with their
 *		documents. An order's cancel lock also protects its fulfillment.
 */
#ifndef ORDER_EXT_MACHINE_SHIPMENT_FULFILMENT_H
#define ORDER_EXT_MACHINE_SHIPMENT_FULFILMENT_H

#include "machine/order/order.h"

typedef struct Fulfilment
{
	int64		order_id;
	int32		version;
	int16		status;
	int16		prior_status;	/* status to restore if the requested cancel is refused; 0 = none */
	CancelType	cancel_type;	/* and what its acceptance does to the order */
	bool		refund_hold;
	bool		external;		/* a warehouse that must be asked */
	bool		intercept_refused;
} Fulfilment;

/* The fulfillment of an order; raises OE901 if it has none. */
extern void fulfilment_read_or_fail(int64 order_id, Fulfilment *fulfilment);

/*
 * Start the fulfillment of paid orders, whose locks are held: fulfillment, delivery order, and
 * status fulfilling; orders of virtual goods only are signed at once, and their stock consumed.
 * The given rows are updated.
 */
extern void fulfilments_begin(Journal *journal, const Order *orders, int n);

/* An order is canceled before it has a fulfillment: create a canceled one. */
extern void fulfilment_tombstone(Journal *journal, int64 order_id, char actor);

/* Picked and labeled: the logistics order is created. */
extern void fulfilment_pick(Journal *journal, Fulfilment *fulfilment);

/* Out of the warehouse, including any missing earlier steps. */
extern void fulfilment_out(Journal *journal, Fulfilment *fulfilment);

/* Canceled in place, documents included. */
extern void fulfilment_abandon(Journal *journal, Fulfilment *fulfilment, char actor);

/* An external warehouse is asked to cancel; it accepts; it refuses. */
extern void fulfilment_request_cancel(Journal *journal, Fulfilment *fulfilment, char actor,
									  CancelType cancel_type, bool refund_hold);
extern void fulfilment_accept_cancel(Journal *journal, Fulfilment *fulfilment);
extern void fulfilment_reject_cancel(Journal *journal, Fulfilment *fulfilment);

#endif							/* ORDER_EXT_MACHINE_SHIPMENT_FULFILMENT_H */

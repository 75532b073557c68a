/*
 * fulfilment.h
 *		The fulfilment machine: what the warehouse and the carrier do for an order, with
 *		their documents. An order's cancel lock guards its fulfilment too.
 */
#ifndef ORDER_EXT_MACHINE_FULFILMENT_H
#define ORDER_EXT_MACHINE_FULFILMENT_H

#include "machine/order.h"

typedef struct Fulfilment
{
	int64		order_id;
	int32		version;
	int16		status;
	int16		prior_status;	/* of the cancel asked for: where a refusal leads; 0 = none */
	CancelType	cancel_type;	/* and what an acceptance does to the order */
	bool		refund_hold;
	bool		external;		/* a warehouse that must be asked */
	bool		intercept_refused;
} Fulfilment;

/* The fulfilment of an order; false if there is none (yet). */
extern bool fulfilment_read(int64 order_id, Fulfilment *fulfilment);

/* The same of an order that has one; raises OE901 where it has not. */
extern void fulfilment_read_or_fail(int64 order_id, Fulfilment *fulfilment);

/*
 * Put paid orders, with their locks held, on their way: fulfilment, delivery order, and
 * fulfilling; or signed at once, with their stock consumed, where all goods are virtual.
 * The rows given are brought up to date.
 */
extern void orders_fulfil(Journal *journal, const Order *orders, int n);

/* An order is canceled before it has a fulfilment: one that can never be fulfilled. */
extern void fulfilment_tombstone(Journal *journal, int64 order_id, char actor);

/* Picked and labelled: the logistic order is made. */
extern void fulfilment_pick(Journal *journal, Fulfilment *fulfilment);

/* Out of the warehouse, the steps before it included where they are missing. */
extern void fulfilment_out(Journal *journal, Fulfilment *fulfilment);

/* Canceled in place, documents included. */
extern void fulfilment_abandon(Journal *journal, Fulfilment *fulfilment, char actor);

/* An external warehouse is asked to cancel; it accepts; it refuses. */
extern void fulfilment_request_cancel(Journal *journal, Fulfilment *fulfilment, char actor,
									  CancelType cancel_type, bool refund_hold);
extern void fulfilment_accept_cancel(Journal *journal, Fulfilment *fulfilment);
extern void fulfilment_reject_cancel(Journal *journal, Fulfilment *fulfilment);

#endif							/* ORDER_EXT_MACHINE_FULFILMENT_H */

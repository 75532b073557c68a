/*
 * shipment.h
 *		Facts that warehouse and carrier report about an order: recorded, judged against the
 *		order's status, and applied at once, later, or never.
 *
 * Everything here requires the order's cancel lock.
 */
#ifndef ORDER_EXT_MACHINE_SHIPMENT_SHIPMENT_H
#define ORDER_EXT_MACHINE_SHIPMENT_SHIPMENT_H

#include "machine/shipment/judge.h"

#define MAX_EVENT_ID_CHARS 128

typedef struct ShipmentFact
{
	int64		order_id;
	const char *event_id;
	ShipmentSource source;
	int16		seq;			/* 1, or more if it contradicts one with its event_id */
	ShipmentKind kind;
	TimestampTz occurred_at;
	Jsonb	   *payload;		/* or NULL */
} ShipmentFact;

/* What has been recorded under the event_id of a fact. */
typedef struct ShipmentRecord
{
	int			n;				/* facts with this event_id */
	bool		same;			/* the same fact is one of them ... */
	bool		first;			/* ... the first */
	Jsonb	   *detail;			/* the result it had */
} ShipmentRecord;

extern void shipment_find(const ShipmentFact *fact, ShipmentRecord *record);

/* Record a fact with its verdict and the result of the call; alerts if it is held. */
extern void shipment_record(Journal *journal, const ShipmentFact *fact, const Order *order,
							ShipmentVerdict verdict, Jsonb *detail);

/* Move the order by a fact whose verdict is to apply it. */
extern void shipment_apply(Journal *journal, const ShipmentFact *fact, Order *order);

/*
 * After an order has moved: settle its parked facts that apply now, until none is left.
 */
extern void shipments_settle(Journal *journal, Order *order);

/* The same for many orders that have just moved, few of which have parked facts. */
extern void shipments_settle_among(Journal *journal, const int64 *order_ids, int n);

/*
 * Create the fulfillment of those orders that are paid, and settle facts that came too early.
 * Their cancel locks are held, or no other transaction can write orders. Returns their number.
 */
extern int	shipments_start(const int64 *order_ids, int n);

/*
 * Those of the orders that have a parked refusal, loss or return, ascending: applying it opens
 * an after-sale, so their refund locks must be taken before their stock is touched. Their cancel
 * locks are held.
 */
extern int64 *shipments_refused_early(const int64 *order_ids, int n, int *n_found);

/* Orders were canceled: hold their parked facts for staff. */
extern void shipments_hold_parked(Journal *journal, const Order *orders, int n);

#endif							/* ORDER_EXT_MACHINE_SHIPMENT_SHIPMENT_H */

/*
 * shipment.h
 *		What warehouse and carrier tell about an order: recorded, judged against the
 *		order's status, and applied at once, when its turn comes, or never.
 *
 * All of it happens with the order's cancel lock held.
 */
#ifndef ORDER_EXT_MACHINE_SHIPMENT_H
#define ORDER_EXT_MACHINE_SHIPMENT_H

#include "machine/fulfilment.h"

#define MAX_EVENT_ID_CHARS 128

typedef struct ShipmentFact
{
	int64		order_id;
	const char *event_id;
	ShipmentSource source;
	int16		seq;			/* 1, or more where it contradicts one with its event_id */
	ShipmentKind kind;
	TimestampTz occurred_at;
	Jsonb	   *payload;		/* or NULL */
} ShipmentFact;

/* A judgement, and why where it is SHIPMENT_HELD. */
typedef struct ShipmentVerdict
{
	ShipmentState state;
	const char *reason;
} ShipmentVerdict;

/* What is on record under the event_id of a fact. */
typedef struct ShipmentRecord
{
	int			n;				/* facts with this event_id */
	bool		same;			/* the very fact is one of them ... */
	bool		first;			/* ... the first */
	Jsonb	   *detail;			/* what that one answered */
} ShipmentRecord;

extern void shipment_find(const ShipmentFact *fact, ShipmentRecord *record);

/* Record a fact with its verdict and what the call answers; alerts where it is held. */
extern void shipment_record(Journal *journal, const ShipmentFact *fact, const Order *order,
							ShipmentVerdict verdict, Jsonb *detail);

/* What a fact means for an order; either may be missing (NULL). */
extern ShipmentVerdict shipment_judge(ShipmentKind kind, const Order *order,
									  const Fulfilment *fulfilment);

/* Move the order by a fact that was judged to be applied. */
extern void shipment_apply(Journal *journal, const ShipmentFact *fact, Order *order);

/*
 * The order has moved: settle those of its parked facts whose turn has come, until there
 * is none.
 */
extern void shipments_settle(Journal *journal, Order *order);

/* The same for many orders that have just moved; few of them have parked facts. */
extern void shipments_settle_among(Journal *journal, const int64 *order_ids, int n);

/*
 * Those of the orders that are paid get their fulfilment, and what was told about them too
 * early is settled. Their cancel locks are held, or nobody else can write orders. Returns
 * their number.
 */
extern int	shipments_start(const int64 *order_ids, int n);

/*
 * Those of the orders whose refusal is parked, ascending: applying it opens an after-sale, so
 * that their refund locks are due before their stock is touched. Their cancel locks are held.
 */
extern int64 *shipments_refused_early(const int64 *order_ids, int n, int *n_found);

/* Orders were canceled: what is parked for them waits for staff from now on. */
extern void shipments_hold_parked(Journal *journal, const Order *orders, int n);

#endif							/* ORDER_EXT_MACHINE_SHIPMENT_H */

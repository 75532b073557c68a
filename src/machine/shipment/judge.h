/*
 * judge.h
 *		What a fact of warehouse and carrier means for an order in its status.
 */
#ifndef ORDER_EXT_MACHINE_SHIPMENT_JUDGE_H
#define ORDER_EXT_MACHINE_SHIPMENT_JUDGE_H

#include "machine/shipment/fulfilment.h"

/* A verdict, and its reason if it is SHIPMENT_HELD. */
typedef struct ShipmentVerdict
{
	ShipmentState state;
	const char *reason;
} ShipmentVerdict;

/* What a fact means for an order; fulfilment matters while that is fulfilling. */
extern ShipmentVerdict shipment_judge(ShipmentKind kind, const Order *order,
									  const Fulfilment *fulfilment);

/* Whether the parcel does not reach its buyer: the order becomes refused. */
extern bool shipment_ends_undelivered(ShipmentKind kind);

#endif							/* ORDER_EXT_MACHINE_SHIPMENT_JUDGE_H */

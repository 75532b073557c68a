/*
 * intercept.h
 *		The refusal of an external warehouse that was asked to stop a parcel.
 */
#ifndef ORDER_EXT_MACHINE_SHIPMENT_INTERCEPT_H
#define ORDER_EXT_MACHINE_SHIPMENT_INTERCEPT_H

#include "machine/shipment/fulfilment.h"

/* It has not stopped it, or the parcel is out: the order proceeds. */
extern void intercept_refused(Journal *journal, Order *order, Fulfilment *fulfilment,
							  const char *event_id);

#endif							/* ORDER_EXT_MACHINE_SHIPMENT_INTERCEPT_H */

/*
 * fulfilment.h
 *		The checks of verify() about fulfillment.
 */
#ifndef ORDER_EXT_VERIFY_FULFILMENT_H
#define ORDER_EXT_VERIFY_FULFILMENT_H

#include "api/verify/check.h"

extern const char verify_fulfilments_and_orders[];
extern const char verify_fulfilments_and_orders_print[];
extern const char verify_fulfilment_documents[];
extern const char verify_fulfilment_documents_print[];
extern const char verify_parked_shipments[];
extern const char verify_paid_orders[];
extern const char verify_paid_orders_print[];
extern const char verify_waiting_shipments[];
extern const char verify_unanswered_cancels[];
extern const char verify_unanswered_cancels_print[];

#endif							/* ORDER_EXT_VERIFY_FULFILMENT_H */

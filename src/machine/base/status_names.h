/*
 * status_names.h
 *		The statuses of each machine by name; each list is ended by one without a name.
 */
#ifndef ORDER_EXT_MACHINE_BASE_STATUS_NAMES_H
#define ORDER_EXT_MACHINE_BASE_STATUS_NAMES_H

#include "machine/base/codes.h"

extern const CodeName status_names_order[];
extern const CodeName status_names_payment[];
extern const CodeName status_names_after_sale[];
extern const CodeName status_names_return[];
extern const CodeName status_names_refund[];
extern const CodeName status_names_coupon[];
extern const CodeName status_names_fulfilment[];

#endif							/* ORDER_EXT_MACHINE_BASE_STATUS_NAMES_H */

/*
 * message.h
 *		What is published about an after-sale.
 */
#ifndef ORDER_EXT_MACHINE_AFTER_SALE_MESSAGE_H
#define ORDER_EXT_MACHINE_AFTER_SALE_MESSAGE_H

#include "machine/after_sale/after_sale.h"

/* Begins the standard payload of messages and timers about an after-sale. */
extern struct JsonbBuilder *after_sale_payload(const AfterSale *after_sale);

/* Alert the operators to it: see journal_alert(). */
extern void after_sale_alert(Journal *journal, const AfterSale *after_sale, const char *kind,
							 const char *reason);

#endif							/* ORDER_EXT_MACHINE_AFTER_SALE_MESSAGE_H */

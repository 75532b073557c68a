/*
 * stock.h
 *		The checks of verify() about stock.
 */
#ifndef ORDER_EXT_VERIFY_STOCK_H
#define ORDER_EXT_VERIFY_STOCK_H

#include "api/verify/check.h"

/* SQL: sums show that open reservations are of orders that have not gone out, nor are over. */
#define RESERVATIONS_ARE_LIVE \
	COUNT_OF("free", "items_sums", "true") " = 0" \
	" AND " SUM_OF("origin", "orders_sums", "status IN (" ORDERS_NOT_OUT ")") \
	"  = " SUM_OF("origin", "items_sums", "reservation = " CODE(RESERVATION_OPEN))

extern const char verify_stock_and_ledger[];
extern const char verify_stock_and_ledger_print[];
extern const char verify_stock_and_reservations_print[];
extern const char verify_stock_and_reservations[];
extern const char verify_reservations_and_orders[];
extern const char verify_reservations_and_ledger_print[];
extern const char verify_reservations_and_orders_print[];
extern const char verify_reservations_and_ledger[];

#endif							/* ORDER_EXT_VERIFY_STOCK_H */

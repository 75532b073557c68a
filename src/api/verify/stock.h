/*
 * stock.h
 *		The checks of verify() about stock.
 */
#ifndef ORDER_EXT_VERIFY_STOCK_H
#define ORDER_EXT_VERIFY_STOCK_H

#include "api/verify/check.h"

extern const char verify_stock_and_ledger[];
extern const char verify_stock_and_ledger_print[];
extern const char verify_stock_and_reservations_print[];
extern const char verify_stock_and_reservations[];
extern const char verify_reservations_and_orders[];
extern const char verify_reservations_and_ledger_print[];
extern const char verify_reservations_and_orders_print[];
extern const char verify_reservations_and_ledger[];

#endif							/* ORDER_EXT_VERIFY_STOCK_H */

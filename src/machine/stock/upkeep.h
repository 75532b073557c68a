/*
 * upkeep.h
 *		The ledgers of products that nobody orders.
 */
#ifndef ORDER_EXT_MACHINE_STOCK_UPKEEP_H
#define ORDER_EXT_MACHINE_STOCK_UPKEEP_H

#include "machine/stock/level.h"

/*
 * For who has inserted a row without counting: fold what is due for some of these rows, so that
 * there are never many that nobody has counted.
 */
extern void stock_upkeep_now_and_then(StockReader *reader, int64 product_id);

/*
 * For maintain(): fold what is due of a number of products, and remove folds that newer ones
 * replace. The products are next to each other, from anywhere.
 */
extern void stock_upkeep(int products);

#endif							/* ORDER_EXT_MACHINE_STOCK_UPKEEP_H */

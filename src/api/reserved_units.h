/*
 * reserved_units.h
 *		Reserved units that are not there: the orders that hold them are canceled.
 */
#ifndef ORDER_EXT_RESERVED_UNITS_H
#define ORDER_EXT_RESERVED_UNITS_H

#include "postgres.h"

/*
 * Cancel unpaid orders, newest first, until they have held at least so many units of the product,
 * which are available then, to this transaction. Orders whose lock is taken, by a callback perhaps,
 * are left out. OE201 if there are too few.
 */
extern void reserved_units_free(int64 product_id, const char *sku, int64 units,
								const char *reason);

#endif							/* ORDER_EXT_RESERVED_UNITS_H */

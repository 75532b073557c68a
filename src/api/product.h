/*
 * product.h
 *		Products as callers name them.
 */
#ifndef ORDER_EXT_PRODUCT_H
#define ORDER_EXT_PRODUCT_H

#include "postgres.h"

#define MAX_PRODUCT_NAME_CHARS 1000

/* The id of the product with this SKU; OE001. */
extern int64 product_id_of_sku(const char *sku);

#endif							/* ORDER_EXT_PRODUCT_H */

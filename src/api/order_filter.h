/*
 * order_filter.h
 *		Filters of orders as callers give them.
 */
#ifndef ORDER_EXT_ORDER_FILTER_H
#define ORDER_EXT_ORDER_FILTER_H

#include "compat.h"

#include "utils/jsonb.h"

#include "api/order_page.h"

/* Read a filter object. Raises 22023, 22003 or 54000, naming the argument and the key. */
extern void order_filter_parse(Jsonb *object, OrderFilter *filter);

/* Add the status of a name, or raise 22023: what says where it was given. */
extern void order_filter_add_status(OrderFilter *filter, const char *name, const char *argument,
									const char *what);

#endif							/* ORDER_EXT_ORDER_FILTER_H */

/*
 * allowed_actions.h
 *		Which calls the statuses of orders allow now.
 */
#ifndef ORDER_EXT_ALLOWED_ACTIONS_H
#define ORDER_EXT_ALLOWED_ACTIONS_H

#include "compat.h"

#include "utils/jsonb.h"

/*
 * The calls that each of n orders allows, as an array of their names; NULL for an order that does
 * not exist. A constant number of statements, under the active snapshot.
 */
extern Jsonb **allowed_actions_of(const int64 *order_ids, int n);

/* Whether a call is among those that the order allows. */
extern bool allowed_actions_include(int64 order_id, const char *call);

#endif							/* ORDER_EXT_ALLOWED_ACTIONS_H */

/*
 * price_hook.h
 *		The price hook: a function of the application that decides the prices and discounts of
 *		orders.
 */
#ifndef ORDER_EXT_PRICE_HOOK_H
#define ORDER_EXT_PRICE_HOOK_H

#include "api/cart.h"
#include "api/guest_function.h"

extern const GuestKind price_hook_kind;

/*
 * If a price hook is set, replace the prices of the priced cart by what it answers, with its
 * discounts; OE007, with the reason, if it refuses or fails. Before coupon and freight.
 */
extern void price_hook_apply(const GuestFunction *hook, Cart *cart, int64 user_id, int64 coupon_id);

#endif							/* ORDER_EXT_PRICE_HOOK_H */

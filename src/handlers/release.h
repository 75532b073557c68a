/*
 * release.h
 *		Releasing what a canceled order held.
 *
 * Prefixes: handle_
 */
#ifndef ORDER_EXT_RELEASE_H
#define ORDER_EXT_RELEASE_H

#include "message/message.h"

/* order.release_assets: one message per asset kind that applies. */
extern void handle_release_assets(Message *messages, int n);

/* stock.release: release what the orders' own reservations hold. */
extern void handle_stock_release(Message *messages, int n);

/* coupon.release: free the coupons that still name the orders. */
extern void handle_coupon_release(Message *messages, int n);

#endif							/* ORDER_EXT_RELEASE_H */

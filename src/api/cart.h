/*
 * cart.h
 *		Carts priced by the server: shared by quote_order and create_order.
 */
#ifndef ORDER_EXT_CART_H
#define ORDER_EXT_CART_H

#include "postgres.h"

#include "utils/jsonb.h"

#include "api/lines.h"
#include "machine/order/coupon.h"
#include "machine/order/lines.h"

#define MAX_WORD_CHARS	128

/* The options of an order. */
typedef struct CartOptions
{
	Jsonb	   *all;			/* as stored: region, channel and currency are spelled as codes */
	char	   *region;			/* as given, or NULL */
	const char *currency;		/* a code; the setting if none was given */
	char	   *external_id;	/* or NULL */
} CartOptions;

typedef struct Cart
{
	OrderLine  *lines;			/* one per sku and attributes, by line */
	int			n;
	int64		origin;
	int64		discount;
	int64		freight;
	int64		pay_amount;
	CartOptions options;
} Cart;

/*
 * Read items and options as given by the caller. Raises 22023, 22003 or 54000, naming the
 * argument. Lines with the same SKU and attributes are added up.
 */
extern Cart *cart_parse(Jsonb *items, Jsonb *options);

/*
 * Look up products and prices and add them up; raises OE001 for an unknown SKU, OE005 for one
 * that has no price in the cart's currency.
 */
extern void cart_price(Cart *cart);

/*
 * Apply a coupon to the priced cart, to what the price hook's discounts have left: its discount is
 * apportioned among the items to the cent.
 * Raises OE202 if it cannot be used by this user, now, for this total. Does not check whether it
 * is in use; see *coupon.
 */
extern void cart_apply_coupon(Cart *cart, int64 coupon_id, int64 user_id, TimestampTz now,
							  Coupon *coupon);

/* Add the freight, which completes the amount to pay; raises OE006 if none is known. */
extern void cart_add_freight(Cart *cart);

#endif							/* ORDER_EXT_CART_H */

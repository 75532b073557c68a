/*
 * cart.h
 *		What a buyer wants, priced by the server: shared by quote_order and create_order.
 */
#ifndef ORDER_EXT_CART_H
#define ORDER_EXT_CART_H

#include "postgres.h"

#include "api/lines.h"
#include "machine/coupon.h"
#include "machine/stock.h"
#include "utils/jsonb.h"

#define MAX_WORD_CHARS	128

/* options of an order, as far as the engine reads them. */
typedef struct CartOptions
{
	char	   *region;			/* or NULL */
	char	   *currency;		/* the setting where none was given */
	char	   *external_id;	/* or NULL */
} CartOptions;

typedef struct Cart
{
	OrderLine  *lines;			/* one per sku, in product_id order once priced */
	int			n;
	int64		origin;
	int64		discount;
	int64		freight;
	int64		pay_amount;
	CartOptions options;
} Cart;

/*
 * Read items and options as given by the caller. Raises 22023, 22003 or 54000 naming the
 * argument. The same sku twice is summed.
 */
extern Cart *cart_parse(Jsonb *items, Jsonb *options);

/* Look up products and freight and total up; raises OE001 for an unknown sku. */
extern void cart_price(Cart *cart);

/*
 * Apply a coupon to the priced cart: the discount is shared among the items to the cent.
 * Raises OE202 where it cannot be used by this user, now, for this total. Whether it is
 * taken is not looked at; *coupon tells.
 */
extern void cart_apply_coupon(Cart *cart, int64 coupon_id, int64 user_id, TimestampTz now,
							  Coupon *coupon);

#endif							/* ORDER_EXT_CART_H */

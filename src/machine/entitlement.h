/*
 * entitlement.h
 *		What of an order can still go back, and for how much.
 *
 * Of a line of n pieces paid for with an amount, the first k pieces that go back are
 * worth floor(amount * k / n) in all, and the n-th brings the exact rest. What live
 * after-sales pay back already is taken off; so whatever the steps, the sum never exceeds
 * what was paid and is the same to the cent when everything has gone back. The freight goes
 * with the application that takes the last pieces.
 */
#ifndef ORDER_EXT_MACHINE_ENTITLEMENT_H
#define ORDER_EXT_MACHINE_ENTITLEMENT_H

#include "machine/after_sale.h"

typedef struct EntitledLine
{
	int64		product_id;
	int64		pay;
	int64		discount;
	int64		given;			/* paid back, or to be, by now */
	int64		discount_given;
	int32		quantity;
	int32		done;			/* pieces in live after-sales */
	int16		kind;			/* of the product */
	char	   *sku;
} EntitledLine;

typedef struct Entitlement
{
	int64		order_id;
	int64		freight;		/* of the order */
	int64		freight_given;
	EntitledLine *lines;		/* by sku in bytes, then product */
	int			n;
} Entitlement;

/* What goes back at once; items are priced by entitlement_price(). */
typedef struct GoodsBack
{
	AfterSaleItem *items;		/* product_id and quantity given; in product order */
	int			n;
	int64		amount;			/* freight included */
	int64		freight;
	bool		whole;			/* it is the whole order */
} GoodsBack;

/*
 * Read in a new statement; the order's refund lock is held where something is to be
 * changed. An after-sale (0: none) can be left out: it counts as if it were not live.
 */
extern Entitlement *entitlement_read(int64 order_id, int64 without);

/* The line of a sku or product; NULL if the order has none. */
extern const EntitledLine *entitlement_by_sku(const Entitlement *entitlement, const char *sku);
extern const EntitledLine *entitlement_of(const Entitlement *entitlement, int64 product_id);

/*
 * Fill in what the items are worth. Raises OE501 naming the lines if one of them wants
 * more pieces than are left.
 */
extern void entitlement_price(const Entitlement *entitlement, GoodsBack *goods);

/* Bring goods into the order of their products. */
extern void entitlement_sort(GoodsBack *goods);

/* Everything that is left of the order, but virtual goods, priced; n = 0: nothing. */
extern GoodsBack *entitlement_rest(const Entitlement *entitlement);

/* [{"sku", "quantity", "amount"}, ...] */
extern Jsonb *entitlement_lines(const Entitlement *entitlement, const GoodsBack *goods);

/*
 * Before what is live changes: a transaction with an older snapshot that wants to do the
 * same fails with 40001. The order's refund lock is held.
 */
extern void entitlement_touch(int64 order_id);

/* Whether what is left of the order's payment covers the amount. */
extern bool entitlement_covered(int64 order_id, int64 amount);

#endif							/* ORDER_EXT_MACHINE_ENTITLEMENT_H */

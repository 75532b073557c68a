/*
 * entitlement.h
 *		What is left of an order to return, and for how much.
 *
 * For a line of n pieces with a given amount, the first k pieces returned are worth floor(amount
 * * k / n) in total, and the n-th is worth the exact rest. What live after-sales pay back is
 * deducted, so regardless of the steps, the sum never exceeds what was paid, and matches it to
 * the cent once everything has been returned. The freight is paid back with the application that
 * takes the last pieces.
 *
 * Money may also have gone back in other ways (payment/money_left.h). Then goods are worth no more
 * than is left: the excess is cut from the freight first, then from the last line up.
 */
#ifndef ORDER_EXT_MACHINE_AFTER_SALE_ENTITLEMENT_H
#define ORDER_EXT_MACHINE_AFTER_SALE_ENTITLEMENT_H

#include "machine/after_sale/after_sale.h"
#include "machine/payment/money_left.h"

typedef struct EntitledLine
{
	int64		product_id;
	int64		pay;
	int64		discount;
	int64		given;			/* paid back so far, or being paid back */
	int64		discount_given;
	int32		line;			/* its number in the order */
	int32		lines_of_sku;	/* how many lines have the sku */
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
	int64		left;			/* of the money, and waited for by no other after-sale */
	bool		paid;			/* or else nothing limits what goods are worth */
	MoneyLeft	money;			/* if paid */
	EntitledLine *lines;		/* by number */
	int			n;
} Entitlement;

/* Goods that are returned together; items are priced by entitlement_price(). */
typedef struct GoodsBack
{
	AfterSaleItem *items;		/* product_id, line and quantity given; by line */
	int			n;
	int64		amount;			/* freight included */
	int64		freight;
	bool		whole;			/* it is the whole order */
} GoodsBack;

/*
 * Read in a new statement; hold the order's refund lock if anything is to be changed. An
 * after-sale (0: none) can be excluded: it then counts as not live.
 */
extern Entitlement *entitlement_read(int64 order_id, int64 without);

/* The first line of a sku, or the line of a number; NULL if the order does not contain it. */
extern const EntitledLine *entitlement_by_sku(const Entitlement *entitlement, const char *sku);
extern const EntitledLine *entitlement_of(const Entitlement *entitlement, int32 line);

/*
 * Fill in the value of the items. Raises OE501, naming the lines, if more pieces are requested
 * than are left. entitlement_value() does not look at the money that is left, nor at the freight.
 */
extern void entitlement_price(const Entitlement *entitlement, GoodsBack *goods);
extern void entitlement_value(const Entitlement *entitlement, GoodsBack *goods);

/* Whether these pieces are left. */
extern bool entitlement_has(const Entitlement *entitlement, const GoodsBack *goods);

/* Cut goods to an amount: the freight first, then from the last line up. */
extern void entitlement_cut(const Entitlement *entitlement, GoodsBack *goods, int64 amount);

/* Sort goods by line. */
extern void entitlement_sort(GoodsBack *goods);

/* Everything that is left of the order except virtual goods, priced; n = 0 if nothing is. */
extern GoodsBack *entitlement_rest(const Entitlement *entitlement);

/* [{"line", "sku", "quantity", "amount"}, ...] */
extern Jsonb *entitlement_lines(const Entitlement *entitlement, const GoodsBack *goods);

/*
 * To be called before the set of live after-sales changes: makes a transaction with an older
 * snapshot that tries the same fail with 40001. The order's refund lock is held.
 */
extern void entitlement_touch(int64 order_id);

#endif							/* ORDER_EXT_MACHINE_AFTER_SALE_ENTITLEMENT_H */

/*
 * lines.h
 *		The lines of an order, stored in order_items.
 */
#ifndef ORDER_EXT_MACHINE_ORDER_LINES_H
#define ORDER_EXT_MACHINE_ORDER_LINES_H

#include "utils/jsonb.h"

#include "machine/stock/stock.h"

typedef struct OrderLine
{
	int64		product_id;
	int64		price;
	int64		discount;
	int64		pay;
	int32		line;			/* its number in the order, from 1 */
	int32		quantity;
	int16		kind;
	const char *sku;
	Jsonb	   *attributes;		/* or NULL */
} OrderLine;

/* Store the lines as the items of a new order, whose stock is reserved with them; n > 0. */
extern void order_lines_create(int64 order_id, const OrderLine *lines, int n);

/* What the lines demand of each product: one demand per product, in product_id order. */
extern StockDemand *order_lines_demands(const OrderLine *lines, int n, int *n_demands);

/* What an order consists of, for messages. */
typedef struct OrderGoods
{
	bool		all_virtual;
	Jsonb	   *lines;			/* line, sku, title, kind, quantity, price, discount, pay */
	Jsonb	   *items;			/* to ship: line, sku, quantity, attributes; or NULL */
} OrderGoods;

/*
 * The goods of each of the orders; of those to be shipped, lines have attributes, and there are
 * items. Raises OE901 if an order has no lines.
 */
extern OrderGoods *order_lines_goods(const int64 *order_ids, int n);
extern OrderGoods *order_lines_goods_to_ship(const int64 *order_ids, int n);

/* What products are called: find many of them, one after the other. */
typedef struct ProductNames
{
	struct Rows *rows;
	int64		product_id;		/* of the last one that was found; */
	char	   *sku;			/* NULL: it does not exist */
	char	   *title;
} ProductNames;

extern void order_lines_names_open(ProductNames *names);
extern void order_lines_names_find(ProductNames *names, int64 product_id);
extern void order_lines_names_close(ProductNames *names);

#endif							/* ORDER_EXT_MACHINE_ORDER_LINES_H */

/*
 * take_back.h
 *		Pieces of an order's lines that go back to stock, or are written off.
 */
#ifndef ORDER_EXT_MACHINE_STOCK_TAKE_BACK_H
#define ORDER_EXT_MACHINE_STOCK_TAKE_BACK_H

#include "machine/stock/stock.h"

/*
 * What stock_take_back() does for products, for lines: pieces[i] of a line of products[i], of which
 * there may be several. moved[i], unless NULL, is how many of line i: the first lines of a product
 * come first if not all are moved.
 */
extern void take_back_lines(int64 order_id, int64 ref, const int64 *products,
							const int32 *pieces, int n, LedgerKind kind, TimestampTz at,
							int32 *moved);

#endif							/* ORDER_EXT_MACHINE_STOCK_TAKE_BACK_H */

/*
 * lines.h
 *		Lines as given by callers: [{"sku": "A-1", "quantity": 2}, {"line": 3, "quantity": 1}, ...].
 */
#ifndef ORDER_EXT_LINES_H
#define ORDER_EXT_LINES_H

#include "compat.h"

#include "utils/jsonb.h"

#include "machine/after_sale/entitlement.h"

#define MAX_LINES		1000
#define MAX_SKU_CHARS	128

/* What lines are given for decides which keys they may have. */
typedef enum LinesKind
{
	LINES_ITEMS,				/* of a new order: sku, quantity, attributes */
	LINES_OF_ORDER,				/* sku or line, quantity */
	LINES_RECEIVED				/* the same, and condition */
} LinesKind;

typedef struct Line
{
	char	   *sku;			/* NULL: given by number */
	Jsonb	   *attributes;		/* of items; NULL: none */
	int32		line;			/* number in the order; 0: given by sku */
	int32		quantity;		/* all pieces, including damaged ones */
	int32		damaged;		/* of lines that may carry a condition */
} Line;

typedef struct Lines
{
	Line	   *lines;
	int			n;
} Lines;

/*
 * Read lines. Items with the same SKU and attributes are added up, and numbered from 1 in the order
 * in which they were given; other lines with the same SKU or number are added up. Raises 22023,
 * 22003 or 54000, naming the argument.
 */
extern Lines *lines_parse(Jsonb *lines, const char *argument, LinesKind kind);

/*
 * The lines as goods of the order, added up, in the order's order. Raises OE501 for lines that it
 * does not contain, 22023 for a SKU that several of its lines have.
 */
extern GoodsBack *lines_to_goods(const Lines *lines, const Entitlement *entitlement);

#endif							/* ORDER_EXT_LINES_H */

/*
 * lines.h
 *		Lines as given by callers: [{"sku": "A-1", "quantity": 2}, ...].
 */
#ifndef ORDER_EXT_LINES_H
#define ORDER_EXT_LINES_H

#include "compat.h"

#include "utils/jsonb.h"

#define MAX_LINES		1000
#define MAX_SKU_CHARS	128

typedef struct Line
{
	char	   *sku;
	int32		quantity;		/* all pieces, including damaged ones */
	int32		damaged;		/* of lines that may carry a condition */
} Line;

typedef struct Lines
{
	Line	   *lines;			/* one per sku, by sku */
	int			n;
} Lines;

/*
 * Read lines; lines with the same SKU are added up. If conditions are allowed, a line may contain
 * "condition": "ok" or "damaged". Raises 22023, 22003 or 54000, naming the argument.
 */
extern Lines *lines_parse(Jsonb *lines, const char *argument, bool with_condition);

/* The line with this SKU; NULL if there is none. */
extern Line *lines_find(const Lines *lines, const char *sku);

#endif							/* ORDER_EXT_LINES_H */

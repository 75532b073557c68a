/*
 * take_back.c
 *		Pieces of lines that go back; see take_back.h.
 */
#include "compat.h"

#include "machine/stock/take_back.h"

typedef struct PiecesOfLine
{
	int64		product_id;
	int32		pieces;
	int			place;
} PiecesOfLine;

static int
compare_lines(const void *a, const void *b)
{
	const PiecesOfLine *left = a;
	const PiecesOfLine *right = b;

	if (left->product_id != right->product_id)
		return left->product_id < right->product_id ? -1 : 1;
	return left->place - right->place;
}

void
take_back_lines(int64 order_id, int64 ref, const int64 *products, const int32 *pieces,
				int n, LedgerKind kind, TimestampTz at, int32 *moved)
{
	PiecesOfLine *lines = palloc(sizeof(PiecesOfLine) * n);
	int64	   *distinct = palloc(sizeof(int64) * n);
	int32	   *sums = palloc(sizeof(int32) * n);
	int32	   *rest = palloc0(sizeof(int32) * n);
	int			n_distinct = 0;
	int			i,
				j;

	for (i = 0; i < n; i++)
	{
		lines[i].product_id = products[i];
		lines[i].pieces = pieces[i];
		lines[i].place = i;
	}
	qsort(lines, n, sizeof(PiecesOfLine), compare_lines);
	for (i = 0; i < n; i++)
	{
		if (i == 0 || lines[i].product_id != lines[i - 1].product_id)
		{
			distinct[n_distinct] = lines[i].product_id;
			sums[n_distinct++] = 0;
		}
		/* an order has no more pieces of a product than an integer counts */
		sums[n_distinct - 1] += lines[i].pieces;
	}
	stock_take_back(order_id, ref, distinct, sums, n_distinct, kind, at, rest);
	for (i = 0, j = 0; moved != NULL && i < n; i++)
	{
		int32	   *of_line = &moved[lines[i].place];

		while (distinct[j] != lines[i].product_id)
			j++;
		*of_line = Min(rest[j], lines[i].pieces);
		rest[j] -= *of_line;
	}
}

/*
 * money.c
 *		Amounts; see money.h.
 */
#include "compat.h"

#include "common/int.h"

#include "core/error_facts.h"
#include "core/money.h"

void
money_overflow(const char *argument)
{
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("argument \"%s\" results in an amount out of range", argument),
			 error_facts("Amounts and quantities must fit their data types.",
						 FACT_TEXT("argument", argument)),
			 errhint("Pass smaller amounts or quantities.")));
}

int64
money_add(int64 a, int64 b, const char *argument)
{
	int64		sum;

	if (pg_add_s64_overflow(a, b, &sum))
		money_overflow(argument);
	return sum;
}

int64
money_multiply(int64 a, int64 b, const char *argument)
{
	int64		product;

	if (pg_mul_s64_overflow(a, b, &product))
		money_overflow(argument);
	return product;
}

typedef struct Remainder
{
	int64		rest;
	int			part;
} Remainder;

static int
compare_remainders(const void *a, const void *b)
{
	const Remainder *left = a;
	const Remainder *right = b;

	if (left->rest != right->rest)
		return left->rest > right->rest ? -1 : 1;
	return left->part - right->part;
}

void
money_apportion(int64 amount, const int64 *weights, int n, int64 total, int64 *shares)
{
	Remainder  *remainders = palloc(sizeof(Remainder) * n);
	int64		left = amount;
	int			i;

	Assert(amount >= 0 && amount <= total);
	for (i = 0; i < n; i++)
	{
		/* 128 bits, since the product of two amounts need not fit 64 */
		int128		exact = (int128) amount * weights[i];

		shares[i] = total > 0 ? (int64) (exact / total) : 0;
		remainders[i].rest = total > 0 ? (int64) (exact % total) : 0;
		remainders[i].part = i;
		left -= shares[i];
	}
	qsort(remainders, n, sizeof(Remainder), compare_remainders);
	for (i = 0; i < n && left > 0; i++, left--)
		shares[remainders[i].part]++;
}

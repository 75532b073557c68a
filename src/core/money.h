/*
 * money.h
 *		Amounts: bigint minor units, which neither lose fractions nor overflow silently.
 */
#ifndef ORDER_EXT_MONEY_H
#define ORDER_EXT_MONEY_H

#include "compat.h"

/* Sum and product; raise 22003 naming the argument that made them too large. */
extern int64 money_add(int64 a, int64 b, const char *argument);
extern int64 money_multiply(int64 a, int64 b, const char *argument);

/* Raise 22003 naming the argument. */
pg_noreturn extern void money_overflow(const char *argument);

/*
 * Share an amount among parts in proportion to their weights: the floor of the exact share each,
 * plus the remaining cents, one each to the largest remainders (the earlier part first if they
 * are equal). 0 <= amount <= total = sum of weights, so no share is negative or exceeds its
 * weight, and the shares add up to the amount.
 */
extern void money_apportion(int64 amount, const int64 *weights, int n, int64 total, int64 *shares);

#endif							/* ORDER_EXT_MONEY_H */

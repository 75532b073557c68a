/*
 * currency.h
 *		Currencies: the alphabetic codes of ISO 4217 that have minor units, and how many decimals
 *		these are.
 */
#ifndef ORDER_EXT_CURRENCY_H
#define ORDER_EXT_CURRENCY_H

#include "postgres.h"

#define CURRENCY_CODE_CHARS 3

/* Longer texts are never taken for a currency, not even in facts. */
#define MAX_CURRENCY_CHARS 32

/*
 * The code that a text means, regardless of case and surrounding blanks, in capitals; NULL if it
 * is none. The result is constant.
 */
extern const char *currency_code(const char *text);

/* The decimals of a code that currency_code() returned: 10^decimals minor units are one unit. */
extern int	currency_decimals(const char *code);

/* Whether two texts mean the same currency, known or not. */
extern bool currency_same(const char *a, const char *b);

#endif							/* ORDER_EXT_CURRENCY_H */

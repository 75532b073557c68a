/*
 * currencies.c
 *		currency_exponent, and currency_code for updates and checks.
 */
#include "compat.h"

#include "fmgr.h"
#include "utils/builtins.h"

#include "core/arg_codes.h"
#include "core/args.h"
#include "core/currency.h"

PG_FUNCTION_INFO_V1(order_ext_currency_exponent);
Datum
order_ext_currency_exponent(PG_FUNCTION_ARGS)
{
	arg_not_null(fcinfo, 0, "currency");
	PG_RETURN_INT32(currency_decimals(arg_codes_currency(fcinfo, 0, "currency")));
}

PG_FUNCTION_INFO_V1(order_ext_currency_code);
Datum
order_ext_currency_code(PG_FUNCTION_ARGS)
{
	char	   *given = text_to_cstring(PG_GETARG_TEXT_PP(0));
	const char *code = currency_code(given);

	if (code == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(code));
}

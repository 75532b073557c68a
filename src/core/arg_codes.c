/*
 * arg_codes.c
 *		Arguments of calls that are codes; see arg_codes.h.
 */
#include "compat.h"

#include "core/arg_codes.h"
#include "core/args.h"
#include "core/currency.h"
#include "core/error_facts.h"
#include "core/settings.h"
#include "core/spelling.h"

static char *
not_blank(char *text, const char *name)
{
	if (*text == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" must not be blank", name),
				 error_facts("It has no other characters.", FACT_TEXT("argument", name)),
				 errhint("Pass a value, or omit the argument if it has a default.")));
	return text;
}

char *
arg_codes_trimmed(FunctionCallInfo fcinfo, int n, const char *name, int max_chars)
{
	return not_blank(arg_text_trimmed(fcinfo, n, name, max_chars), name);
}

char *
arg_codes_lower(FunctionCallInfo fcinfo, int n, const char *name, int max_chars)
{
	return not_blank(spelling_code(arg_text_trimmed(fcinfo, n, name, max_chars)), name);
}

pg_noreturn static void
raise_currency(const char *name, const char *given)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("argument \"%s\" is not a currency: \"%s\"", name, given),
			 error_facts(NULL, FACT_TEXT("argument", name), FACT_TEXT("value", given)),
			 errhint("Use an alphabetic code of ISO 4217, such as CNY, USD or JPY.")));
}

const char *
arg_codes_currency(FunctionCallInfo fcinfo, int n, const char *name)
{
	const char *given = arg_text_or_null(fcinfo, n, name, MAX_CURRENCY_CHARS);
	const char *code = currency_code(given != NULL ? given : setting_currency);

	if (code == NULL)
		raise_currency(name, given != NULL ? given : setting_currency);
	return code;
}

const char *
arg_codes_told_currency(FunctionCallInfo fcinfo, int n, const char *name)
{
	char	   *given = arg_text_or_null(fcinfo, n, name, MAX_CURRENCY_CHARS);
	const char *code = given != NULL ? currency_code(given) : NULL;

	if (given == NULL || code != NULL)
		return code;
	(void) not_blank(spelling_trim(given), name);
	return given;
}

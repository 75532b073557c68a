/*
 * arg_codes.h
 *		Arguments of calls that are codes, read as spelling.h and currency.h say. Each function
 *		raises 22004, 22023 or 54000, naming the argument.
 */
#ifndef ORDER_EXT_ARG_CODES_H
#define ORDER_EXT_ARG_CODES_H

#include "postgres.h"

#include "fmgr.h"

/*
 * A text of 1 to max_chars characters, surrounding blanks aside; arg_codes_lower: a code, in
 * lower case.
 */
extern char *arg_codes_trimmed(FunctionCallInfo fcinfo, int n, const char *name, int max_chars);
extern char *arg_codes_lower(FunctionCallInfo fcinfo, int n, const char *name, int max_chars);

/* A currency; the setting's if NULL. 22023 if it is unknown. */
extern const char *arg_codes_currency(FunctionCallInfo fcinfo, int n, const char *name);

/* A currency in a fact from outside: what was given if it is unknown, NULL if NULL. */
extern const char *arg_codes_told_currency(FunctionCallInfo fcinfo, int n, const char *name);

#endif							/* ORDER_EXT_ARG_CODES_H */

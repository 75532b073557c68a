/*
 * spelling.h
 *		Words that people and other systems spell in several ways: surrounding blanks are no part
 *		of them, and codes are also read without regard to case.
 */
#ifndef ORDER_EXT_SPELLING_H
#define ORDER_EXT_SPELLING_H

#include "postgres.h"

/* The same in SQL: a text without surrounding blanks, and a code as it is stored. */
#define SPELLING_TRIM_SQL(text) "pg_catalog.btrim(" text ", E' \\t\\n\\x0B\\f\\r')"
#define SPELLING_CODE_SQL(text) "pg_catalog.lower(" SPELLING_TRIM_SQL(text) ")"

/* The beginning of a text without its surrounding blanks, and its length in bytes. */
extern const char *spelling_skip_blanks(const char *text, int *length);

/* A copy without surrounding blanks; also in lower case, as codes are stored. */
extern char *spelling_trim(const char *text);
extern char *spelling_code(const char *text);

/* The words of a list that ends with NULL, for a message: "one", "two". */
extern char *spelling_list(const char *const *words);

#endif							/* ORDER_EXT_SPELLING_H */

/*
 * member.h
 *		Members of jsonb objects that are given as arguments. Each function raises 22023 or 54000,
 *		naming the argument.
 */
#ifndef ORDER_EXT_MEMBER_H
#define ORDER_EXT_MEMBER_H

#include "compat.h"

#include "utils/jsonb.h"

/* A string, 1 to max_chars characters; NULL if it is absent or null. */
extern char *member_text(JsonbContainer *object, const char *key, const char *argument,
						 int max_chars);

/* Raise if the object has a key that is not in the NULL-terminated list of known ones. */
extern void member_check_keys(JsonbContainer *object, const char *const *known,
							  const char *argument);

/* Raise if it has a key that differs from a known one only in case, "_", "-" or blanks. */
extern void member_refuse_lookalikes(JsonbContainer *object, const char *const *known,
									 const char *argument);

/* Raise 22023: the argument is malformed. */
pg_noreturn extern void member_raise_malformed(const char *argument, const char *what);

#endif							/* ORDER_EXT_MEMBER_H */

/*
 * options.h
 *		Options given as a jsonb object: only known keys, each of its type. All functions raise
 *		22023, naming the option.
 */
#ifndef ORDER_EXT_OPTIONS_H
#define ORDER_EXT_OPTIONS_H

#include "postgres.h"

#include "utils/jsonb.h"

/* Raise unless it is an object with only known keys (a NULL-terminated list). */
extern void options_check_keys(Jsonb *options, const char *const *known);

/* Whether the key is present, even if its value is null. */
extern bool option_is_named(Jsonb *options, const char *key);

/* The value, or the default if it is not given. */
extern int32 option_int(Jsonb *options, const char *key, int32 if_missing, int32 min, int32 max);
extern bool option_bool(Jsonb *options, const char *key, bool if_missing);
extern char *option_text(Jsonb *options, const char *key);	/* NULL if not given */

/* An interval of at least a second, in seconds. */
extern int32 option_seconds(Jsonb *options, const char *key, int32 if_missing, int32 max);

/* An interval of up to 2^31 - 1 milliseconds, in milliseconds; 0 if it is one of no time. */
extern int32 option_milliseconds(Jsonb *options, const char *key, int32 if_missing);

/* One of the words of a NULL-terminated list; returns its index. */
extern int	option_word(Jsonb *options, const char *key, int if_missing, const char *const *words);

#endif							/* ORDER_EXT_OPTIONS_H */

/*
 * jsonb_build.h
 *		Building objects, and arrays of them, piece by piece, with ids as strings and numbers as
 *		numbers, and reading them.
 */
#ifndef ORDER_EXT_JSONB_BUILD_H
#define ORDER_EXT_JSONB_BUILD_H

#include "postgres.h"

#include "utils/jsonb.h"
#include "utils/timestamp.h"

typedef struct JsonbBuilder JsonbBuilder;

/* A text that is NULL becomes null. */
extern JsonbBuilder *jsonb_object_begin(void);
extern void jsonb_add_id(JsonbBuilder *builder, const char *key, int64 id);
extern void jsonb_add_int(JsonbBuilder *builder, const char *key, int64 value);
extern void jsonb_add_text(JsonbBuilder *builder, const char *key, const char *value);
extern void jsonb_add_bool(JsonbBuilder *builder, const char *key, bool value);
extern void jsonb_add_timestamptz(JsonbBuilder *builder, const char *key, TimestampTz value);
extern void jsonb_add_jsonb(JsonbBuilder *builder, const char *key, Jsonb *value);
extern Jsonb *jsonb_object_end(JsonbBuilder *builder);

/* An array of objects; adding one ends it. */
extern JsonbBuilder *jsonb_array_begin(void);
extern void jsonb_array_add(JsonbBuilder *array, JsonbBuilder *object);
extern Jsonb *jsonb_array_end(JsonbBuilder *array);

/* A number in an object that we wrote ourselves; raises an error if it is missing. */
extern int64 jsonb_get_int(Jsonb *object, const char *key);

/* An id (a string of digits) or a text in an object; 0 or NULL if it is missing. */
extern int64 jsonb_get_id(Jsonb *object, const char *key);
extern char *jsonb_get_text(Jsonb *object, const char *key);

#endif							/* ORDER_EXT_JSONB_BUILD_H */

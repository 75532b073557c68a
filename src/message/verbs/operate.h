/*
 * operate.h
 *		Common code of operators' calls.
 */
#ifndef ORDER_EXT_OPERATE_H
#define ORDER_EXT_OPERATE_H

#include "compat.h"

#include "fmgr.h"

#include "core/spi_util.h"

/* Whether another message has taken over the dedup_key of this one, which must not come back. */
#define KEY_TAKEN(message_id) \
	"EXISTS (SELECT FROM order_ext_internal.dedup_taken t WHERE t.message_id = " message_id ")"

/*
 * The dead letters that a call applies to, oldest first: $1 group, $2 how many (NULL: all), $3
 * message ids (NULL: any).
 */
#define PICKED_DEAD_IF(condition) \
	" FROM order_ext_internal.dead_messages d" \
	" WHERE group_id = $1 AND ($3::bigint[] IS NULL OR message_id = ANY ($3))" condition \
	" ORDER BY died_at, message_id LIMIT $2"

#define PICKED_DEAD PICKED_DEAD_IF("")

/* How many they are: a plan for operate_count_picked(). */
#define COUNT_PICKED(picked) \
	SAVED_PLAN("SELECT count(*) FROM (SELECT 1" picked ") d", INT4OID, INT4OID, INT8ARRAYOID)

extern uint64 operate_count_picked(SavedPlan *count_picked, const Datum *values, const char *nulls);

/*
 * Argument n, message_ids, as a value and null flag of a plan. Raises unless it is NULL or a
 * one-dimensional array of ids that is not too long.
 */
extern Datum operate_arg_message_ids(FunctionCallInfo fcinfo, int n, char *null);

#endif							/* ORDER_EXT_OPERATE_H */

/*
 * operate.h
 *		Common code of operators' calls.
 */
#ifndef ORDER_EXT_OPERATE_H
#define ORDER_EXT_OPERATE_H

#include "compat.h"

#include "fmgr.h"

/*
 * The dead letters that a call applies to, oldest first: $1 group, $2 how many (NULL: all), $3
 * message ids (NULL: any).
 */
#define PICKED_DEAD \
	" FROM order_ext_internal.dead_messages" \
	" WHERE group_id = $1 AND ($3::bigint[] IS NULL OR message_id = ANY ($3))" \
	" ORDER BY died_at, message_id LIMIT $2"

/* How many these are. */
extern uint64 operate_count_picked_dead(Datum *values, const char *nulls);

/*
 * Argument n, message_ids, as a value and null flag of a plan. Raises unless it is NULL or a
 * one-dimensional array of ids that is not too long.
 */
extern Datum operate_arg_message_ids(FunctionCallInfo fcinfo, int n, char *null);

#endif							/* ORDER_EXT_OPERATE_H */

/*
 * operate.h
 *		What the calls of operators have in common.
 */
#ifndef ORDER_EXT_OPERATE_H
#define ORDER_EXT_OPERATE_H

#include "compat.h"

#include "fmgr.h"

/*
 * Argument n, message_ids, as a value and null flag of a plan. Raises unless it is NULL or a
 * plain list of ids, not too long a one.
 */
extern Datum arg_message_ids(FunctionCallInfo fcinfo, int n, char *null);

#endif							/* ORDER_EXT_OPERATE_H */

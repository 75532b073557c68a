/*
 * rotate_turn.h
 *		When the tables are looked after, so that they do not grow: rings move on, segments that
 *		are behind everybody are truncated, small tables full of dead rows are written anew,
 *		and operators hear of groups that hold back the log.
 */
#ifndef ORDER_EXT_ROTATE_TURN_H
#define ORDER_EXT_ROTATE_TURN_H

#include "postgres.h"

#include "utils/timestamp.h"

/*
 * A round of the scheduler process, if it is time: in transactions of its own. wrote says
 * that something may have been written since the last turn. *next_wakeup is lowered to when
 * the next round is worthwhile though nothing is written until then.
 */
extern void rotation_turn(bool wrote, TimestampTz *next_wakeup);

/* Look again soon; for after an error. */
extern void rotation_forget(void);

/*
 * The same work in the current transaction, for maintain(); what takes locks that others
 * would wait for is left out unless may_truncate. Inside engine_enter() or api_call().
 */
extern void rotate_now(bool may_truncate);

#endif							/* ORDER_EXT_ROTATE_TURN_H */

/*
 * rotate_turn.h
 *		When the tables are maintained, so that they do not grow: rings move on, segments that all
 *		groups are past are truncated, small tables full of dead rows are rewritten, and operators
 *		are alerted to groups that hold back the log.
 */
#ifndef ORDER_EXT_ROTATE_TURN_H
#define ORDER_EXT_ROTATE_TURN_H

#include "postgres.h"

#include "utils/timestamp.h"

/*
 * A round of the scheduler process, if it is time: in its own transactions. wrote means that
 * something may have been written since the last turn. *next_wakeup is lowered to when the next
 * round is worthwhile even if nothing is written until then.
 */
extern void rotate_turn(bool wrote, TimestampTz *next_wakeup);

/* Check again soon; called after an error. */
extern void rotate_forget(void);

/*
 * The same work in the current transaction, for maintain(); work that takes locks for which
 * others would wait is omitted unless may_truncate. Inside engine_enter() or api_call().
 */
extern void rotate_now(bool may_truncate);

#endif							/* ORDER_EXT_ROTATE_TURN_H */

/*
 * arm.h
 *		Arming timers.
 */
#ifndef ORDER_EXT_TIMER_ARM_H
#define ORDER_EXT_TIMER_ARM_H

#include "postgres.h"

#include "utils/jsonb.h"
#include "utils/timestamp.h"

/* Instead of a status. */
#define TIMER_UNBOUND (-1)

/*
 * Arm a timer: a message due at due_at (a past time fires at once). bound is a status of its key,
 * compared when it fires: a timer whose key has another status is void (see bound.h). Returns the
 * message id.
 */
extern int64 timer_arm(int32 topic_id, int64 key, TimestampTz due_at, int16 bound, Jsonb *payload);

/* The same for a message that already has its id. */
extern void timer_arm_with_id(int64 message_id, int32 topic_id, int64 key, TimestampTz due_at,
							  int16 bound, Jsonb *payload);

#endif							/* ORDER_EXT_TIMER_ARM_H */

/*
 * retries.h
 *		What becomes of a message that did not simply succeed: it waits in retries, is
 *		buried in dead_messages, or is done with; every attempt is kept in attempts.
 */
#ifndef ORDER_EXT_RETRIES_H
#define ORDER_EXT_RETRIES_H

#include "postgres.h"

#include "storage/itemptr.h"
#include "utils/timestamp.h"

#include "message/catalog.h"
#include "message/message.h"

/* Why an attempt failed. detail may be NULL. */
typedef struct Failure
{
	int			sqlstate;		/* as in ErrorData; 0 = none */
	char	   *message;
	char	   *detail;
} Failure;

/* A message and, where it comes from retries, its row there. */
typedef struct Delivery
{
	Message		message;
	bool		is_retry;
	ItemPointerData tid;		/* of the row in retries, if is_retry */
	int16		busy;			/* how often it was busy since its last attempt */
	char	   *last_error;		/* of the last attempt, if is_retry */
	char	   *last_sqlstate;
	TimestampTz started_at;
} Delivery;

/*
 * The group's retries that are due at now, oldest due time first, at most limit.
 * Needs an active snapshot; the group's lock must be held.
 */
extern int	retries_due(int32 group_id, TimestampTz now, int limit, Delivery *deliveries);

/* When the group's next retry is due; DT_NOEND if there is none. Needs a snapshot. */
extern TimestampTz retries_next_due(int32 group_id);

/* Record how the attempt at a message ended. */
extern void delivery_done(const ConsumerGroup *group, Delivery *delivery);
extern void delivery_busy(const ConsumerGroup *group, Delivery *delivery, int min_delay_ms);

/*
 * A failed attempt: retried later, discarded or dead, as the error's SQLSTATE and the
 * group's max_attempts say.
 */
extern void delivery_failed(const ConsumerGroup *group, Delivery *delivery, const Failure *failure);

/*
 * An external consumer's failed attempt, which has no SQLSTATE: retried after the delay in
 * microseconds (below 0: by the group's backoff), or dead after max_attempts.
 */
extern void delivery_nacked(const ConsumerGroup *group, Delivery *delivery, const char *error,
							int64 delay);

/* Note how attempts ended, without any consequence; error and sqlstate may be NULL. */
extern void attempts_append(const ConsumerGroup *group, const Delivery *deliveries, int n,
							const char *state, const char *error, const char *sqlstate);

/* No attempt can be made at all (the handler is gone): dead at once. */
extern void delivery_dead(const ConsumerGroup *group, Delivery *delivery, const Failure *failure);

#endif							/* ORDER_EXT_RETRIES_H */

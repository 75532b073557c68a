/*
 * retries.h
 *		Handling messages that did not simply succeed: they wait in retries, are buried in
 *		dead_messages, or are finished; every attempt is recorded in attempts.
 */
#ifndef ORDER_EXT_RETRIES_H
#define ORDER_EXT_RETRIES_H

#include "postgres.h"

#include "storage/itemptr.h"
#include "utils/timestamp.h"

#include "message/base/catalog.h"
#include "message/base/types.h"
#include "message/delivery/failure.h"
#include "message/log/log.h"

/* What to do with a message that was read. */
typedef enum DeliveryFate
{
	FATE_RUN = 0,
	FATE_PARK,					/* its key waits for an earlier one */
	FATE_BURY					/* it crashed too often */
} DeliveryFate;

/* A message and, if it does not come from the log, the row it comes from. */
typedef struct Delivery
{
	Message		message;
	DeliveryFate fate;
	bool		is_retry;
	bool		was_parked;
	bool		suspect;		/* it is among the crash_suspects */
	ItemPointerData tid;		/* of the row, if is_retry or was_parked */
	int16		busy;			/* how often it was busy since its last attempt */
	char	   *last_error;		/* of the last attempt, if is_retry */
	char	   *last_sqlstate;
	TimestampTz started_at;
	int			worker;			/* the process that attempted it; 0: this one */
} Delivery;

/*
 * The retries of a group's part that are due at now, by due time, at most limit, and no more once
 * their payloads are as large as a batch may be; *more is set if it ended there. The part's lock
 * must be held.
 */
extern int	retries_due(const ConsumerGroup *group, const LogPart *part, TimestampTz now, int limit,
						Delivery *deliveries, bool *more);

/* When the part's next retry is due; DT_NOEND if there is none. */
extern TimestampTz retries_next_due(const ConsumerGroup *group, const LogPart *part);

/* Record how the attempt at a message ended. */
extern void delivery_done(const ConsumerGroup *group, Delivery *delivery);
extern void delivery_busy(const ConsumerGroup *group, Delivery *delivery, int min_delay_ms);

/*
 * A failed attempt: retried later, discarded or dead, depending on the error's SQLSTATE and the
 * group's max_attempts. Returns whether it was discarded and so is finished.
 */
extern bool delivery_failed(const ConsumerGroup *group, Delivery *delivery, const Failure *failure);

/* Make a message dead whose attempts have already been recorded. */
extern void delivery_buried(const ConsumerGroup *group, Delivery *delivery, const Failure *failure);

/* No attempt was made: becomes a retry that is due at once. */
extern void delivery_again(const ConsumerGroup *group, Delivery *delivery);

/*
 * An external consumer's failed attempt, which has no SQLSTATE: retried after the delay in
 * microseconds (below 0: by the group's backoff), or dead after max_attempts.
 */
extern void delivery_nacked(const ConsumerGroup *group, Delivery *delivery, const char *error,
							int64 delay);

/* Only record how attempts ended; error and sqlstate may be NULL. */
extern void delivery_record_attempts(const ConsumerGroup *group, const Delivery *deliveries, int n,
									 const char *state, const char *error, const char *sqlstate);

/* No attempt can be made at all (the handler does not exist): dead at once. */
extern void delivery_dead(const ConsumerGroup *group, Delivery *delivery, const Failure *failure);

#endif							/* ORDER_EXT_RETRIES_H */

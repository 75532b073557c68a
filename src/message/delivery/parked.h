/*
 * parked.h
 *		Ordered groups: messages that wait for an earlier one of their key.
 *
 * A key of an ordered group is blocked by a message in retries or dead_messages. Messages of
 * a blocked key are parked, as copies, in their order. They follow when what blocks the key
 * is done with; a dead letter does so after its redrive. (Groups of external consumers have
 * it their own way, see key_order.h.)
 */
#ifndef ORDER_EXT_PARKED_H
#define ORDER_EXT_PARKED_H

#include "postgres.h"

#include "core/append.h"
#include "message/base/catalog.h"
#include "message/delivery/retries.h"

/* Let deliveries that come from the log, and whose keys are blocked, be parked. */
extern void parked_mark_blocked(const ConsumerGroup *group, Delivery *deliveries, int n);

/* Delivery i blocks its key now: those behind it are to be parked. */
extern void parked_mark_rest(Delivery *deliveries, int i, int n);

/* Append a message to parked_messages, which the caller has opened. */
extern void parked_append(Appender *appender, const ConsumerGroup *group, const Message *message,
						  TimestampTz now);

/* Park a message. */
extern void parked_put(const ConsumerGroup *group, const Delivery *delivery);

/*
 * The key's first parked message; false if there is none, or if the key is blocked. *place:
 * where to begin to look (0 at first), and where the message was found.
 */
extern bool parked_next(const ConsumerGroup *group, int64 key, int64 *place, Delivery *delivery);

/*
 * The first parked message of each key that is not blocked becomes due at once: a group of
 * external consumers, where others look after that, has got a handler.
 */
extern void parked_release_free(int32 group_id);

/* All parked messages of a group that is not ordered any more become due at once. */
extern void parked_release_all(int32 group_id);

#endif							/* ORDER_EXT_PARKED_H */

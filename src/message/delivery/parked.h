/*
 * parked.h
 *		Ordered groups: messages that wait for an earlier message of their key.
 *
 * A key of an ordered group is blocked by a message in retries or dead_messages. Messages of a
 * blocked key are parked, as copies, in their order. They follow when the blocking message is
 * finished; a dead letter is after its redrive. (For groups of external consumers see
 * lease/key_order.h.)
 */
#ifndef ORDER_EXT_PARKED_H
#define ORDER_EXT_PARKED_H

#include "postgres.h"

#include "core/append.h"
#include "message/base/catalog.h"
#include "message/delivery/retries.h"

/* Mark deliveries from the log whose keys are blocked to be parked. */
extern void parked_mark_blocked(const ConsumerGroup *group, Delivery *deliveries, int n);

/* Delivery i now blocks its key: those behind it must be parked. */
extern void parked_mark_rest(Delivery *deliveries, int i, int n);

/* Append a message to parked_messages, which the caller has opened. */
extern void parked_append(Appender *appender, const ConsumerGroup *group, const Message *message,
						  TimestampTz now);

/* Park a message. */
extern void parked_put(const ConsumerGroup *group, const Delivery *delivery);

/*
 * The key's first parked message; false if there is none, or if the key is blocked. *place is
 * where to start searching (0 at first), and becomes where the message was found.
 */
extern bool parked_next(const ConsumerGroup *group, int64 key, int64 *place, Delivery *delivery);

/*
 * Make the first parked message of each key that is not blocked due at once, after a group of
 * external consumers, where this works differently, has been given a handler.
 */
extern void parked_release_free(int32 group_id);

/* Make all parked messages of a group that is no longer ordered due at once. */
extern void parked_release_all(int32 group_id);

#endif							/* ORDER_EXT_PARKED_H */

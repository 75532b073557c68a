/*
 * hand_on.h
 *		Handing on what a worker's transaction publishes to its built-in consumers, within it.
 *
 * They get the messages from memory, in the transaction that has written what the messages are
 * about. The log has them as ever, other groups read them there, and so do the built-in ones
 * whenever something is in the way. See "Handed on" in src/message/README.md.
 */
#ifndef ORDER_EXT_HAND_ON_H
#define ORDER_EXT_HAND_ON_H

#include "postgres.h"

/*
 * To be called first in a worker's transaction. What is published from here on to topics of
 * message_register_handed_on() is kept, unless a handing on has failed lately.
 */
extern void hand_on_begin(void);

/*
 * Hand on what has been kept, and what is published by that, but nothing to the group whose own
 * pass this is. An active snapshot is needed. Each group runs in a subtransaction: if it fails,
 * its messages are read from the log. Returns how many messages were handled.
 */
extern int	hand_on_of_pass(int32 own_group_id);

/* The same outside of a pass, and without what is published by that. */
extern int	hand_on_once(void);

/* Whether messages of the topic may be handed on at all: it has such a consumer. */
extern bool hand_on_takes(int32 topic_id);

/* The transaction has failed: hand nothing on in the next one, and for a while from there. */
extern void hand_on_pause(void);

#endif							/* ORDER_EXT_HAND_ON_H */

/*
 * key_order.h
 *		Ordered groups of external consumers: only one consumer handles a key at a time.
 *
 * As long as a message of a key is leased, waits for its next attempt or is a dead letter, the
 * later ones of that key are parked, in order. No notice is given when the key becomes free
 * again: the next receive() checks, so no answer can be missed, and answers never wait.
 */
#ifndef ORDER_EXT_KEY_ORDER_H
#define ORDER_EXT_KEY_ORDER_H

#include "postgres.h"

#include "message/delivery/retries.h"

/*
 * Process new deliveries from the log until limit of them are kept: park those whose key is not
 * free, or that are not the first of their key, and move the others to the front. *n becomes the
 * number processed. Returns the number kept. SPI must be connected.
 */
extern int	key_order_park(const ConsumerGroup *group, Delivery *deliveries, int *n, int limit);

/*
 * Unpark the first message of each free key, at most limit, and no more once their payloads have
 * reached the bytes. Returns their number. SPI must be connected.
 */
extern int	key_order_release(const ConsumerGroup *group, int limit, Size bytes,
							  Delivery **deliveries);

/* Whether there is any such message. SPI must be connected. */
extern bool key_order_has_free(const ConsumerGroup *group);

#endif							/* ORDER_EXT_KEY_ORDER_H */

/*
 * key_order.h
 *		Ordered groups of external consumers: a key is in one consumer's hands at a time.
 *
 * As long as a message of a key is leased, waits for its next attempt or is a dead letter,
 * the later ones of that key are parked, in order. Nobody tells when the key is free again:
 * whoever receives next looks, so that no answer can be overlooked, and no answer waits.
 */
#ifndef ORDER_EXT_KEY_ORDER_H
#define ORDER_EXT_KEY_ORDER_H

#include "postgres.h"

#include "message/delivery/retries.h"

/*
 * Go through deliveries that are fresh from the log, until limit of them are kept: park
 * those whose key is not free, or that are not the first of their key, and move the others
 * to the front. *n is set to how many were gone through. Returns how many were kept. SPI must
 * be connected.
 */
extern int	key_order_park(const ConsumerGroup *group, Delivery *deliveries, int *n, int limit);

/*
 * Take the first parked message of each key that is free out of parking, at most limit.
 * Returns their number. SPI must be connected.
 */
extern int	key_order_release(const ConsumerGroup *group, int limit, Delivery **deliveries);

/* Whether there is any to be taken. SPI must be connected. */
extern bool key_order_has_free(const ConsumerGroup *group);

#endif							/* ORDER_EXT_KEY_ORDER_H */

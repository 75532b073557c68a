/*
 * depth.h
 *		Backpressure: how many messages of a topic wait for its slowest group.
 */
#ifndef ORDER_EXT_DEPTH_H
#define ORDER_EXT_DEPTH_H

#include "postgres.h"

#include "message/base/catalog.h"

/*
 * Raise OE703 if the topic has a max_depth and so many messages wait for one of its groups,
 * what this transaction has published itself included. Up to a depth of DEPTH_EXACT that is
 * exact, above it the count may be some percent old.
 */
extern void depth_check(const Topic *topic);

#define DEPTH_EXACT 1000

/*
 * How many messages of the log wait for the group, by the active snapshot, our own
 * included; counts no further than limit.
 */
extern int	depth_of_group(const ConsumerGroup *group, int limit);

#endif							/* ORDER_EXT_DEPTH_H */

/*
 * depth.h
 *		Backpressure: how many messages of a topic wait for its slowest group.
 */
#ifndef ORDER_EXT_DEPTH_H
#define ORDER_EXT_DEPTH_H

#include "postgres.h"

#include "message/base/catalog.h"

/*
 * Raise OE703 if the topic has a max_depth and that many messages are waiting for one of its
 * groups, including those published by this transaction. This is exact up to a depth of
 * DEPTH_EXACT; above it the count may be off by a percent.
 */
extern void depth_check(const Topic *topic);

#define DEPTH_EXACT 1000

/*
 * The number of messages in the log that wait for the group, by the active snapshot, including
 * our own; counts no further than limit.
 */
extern int	depth_of_group(const ConsumerGroup *group, int limit);

#endif							/* ORDER_EXT_DEPTH_H */

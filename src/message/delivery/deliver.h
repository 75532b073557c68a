/*
 * deliver.h
 *		Passing messages to a group's handler, and recording their outcomes.
 */
#ifndef ORDER_EXT_DELIVER_H
#define ORDER_EXT_DELIVER_H

#include "postgres.h"

#include "message/delivery/pass_state.h"

/*
 * Deliver messages in the pass's mode. Returns how many were finished, from the front;
 * pass->handled becomes the number of those passed to the handler, plus the ones released behind
 * them. In an ordered group, messages whose key waits for an earlier one are parked.
 */
extern int	deliver_messages(Pass *pass, const ConsumerGroup *group, Delivery *deliveries, int n);

#endif							/* ORDER_EXT_DELIVER_H */

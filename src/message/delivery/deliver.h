/*
 * deliver.h
 *		Giving messages to a group's handler, and recording what became of them.
 */
#ifndef ORDER_EXT_DELIVER_H
#define ORDER_EXT_DELIVER_H

#include "postgres.h"

#include "message/delivery/pass.h"

/*
 * Deliver messages in the pass's mode. Returns how many were finished, from the front; of
 * those pass->handled becomes the number that was given to the handler, and what was
 * released behind them besides. In an ordered group, messages whose key waits for an
 * earlier one are parked.
 */
extern int	deliver_messages(Pass *pass, const ConsumerGroup *group, Delivery *deliveries, int n);

#endif							/* ORDER_EXT_DELIVER_H */

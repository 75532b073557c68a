/*
 * timeouts.h
 *		What happens after timeouts: consumers of timers.
 *
 * Prefixes: handle_
 */
#ifndef ORDER_EXT_TIMEOUTS_H
#define ORDER_EXT_TIMEOUTS_H

#include "message/message.h"

/* order.pay_timeout: cancel the orders that are unpaid and due. */
extern void handle_pay_timeout(Message *messages, int n);

/* order.auto_sign: orders that have been in delivery for too long count as signed. */
extern void handle_auto_sign(Message *messages, int n);

/* after_sale.review_due: alert staff to an application that awaits review. */
extern void handle_review_due(Message *messages, int n);

/* after_sale.auto_close: close after-sales whose goods were never sent back. */
extern void handle_auto_close(Message *messages, int n);

#endif							/* ORDER_EXT_TIMEOUTS_H */

/*
 * handlers.h
 *		The built-in consumers. Each takes a whole batch and works in sets; a second
 *		delivery finds nothing left to do.
 */
#ifndef ORDER_EXT_HANDLERS_H
#define ORDER_EXT_HANDLERS_H

#include "core/locks.h"
#include "message/message.h"

/* Register all of them and the status source of bound timers; called from _PG_init. */
extern void handlers_init(void);

/* order.pay_timeout: cancel the orders that are unpaid and due. */
extern void handle_pay_timeout(Message *messages, int n);

/* order.paid: put paid orders on their way. */
extern void handle_order_paid(Message *messages, int n);

/* order.release_assets: one message per asset kind that applies. */
extern void handle_release_assets(Message *messages, int n);

/* stock.release: give back what the orders' own reservations hold. */
extern void handle_stock_release(Message *messages, int n);

/* coupon.release: free the coupons that still name the orders. */
extern void handle_coupon_release(Message *messages, int n);

/* refund.prepare: after-sales and refunds for captured money of canceled orders. */
extern void handle_refund_prepare(Message *messages, int n);

/*
 * refund.execute: claim refunds, and in a later transaction call their gateway: the sandbox,
 * or the one whose group it is.
 */
extern void handle_refund_execute(Message *messages, int n);
extern void handle_refund_gateway(struct Handler *gateway, Message *messages, int n);

/* order.auto_sign: what is being delivered for too long counts as signed. */
extern void handle_auto_sign(Message *messages, int n);

/* after_sale.review_due: tell staff of an application that waits. */
extern void handle_review_due(Message *messages, int n);

/* after_sale.auto_close: close what was never sent back. */
extern void handle_auto_close(Message *messages, int n);

/* The keys of a batch. */
extern int64 *message_keys(const Message *messages, int n);

/*
 * Take the locks of a batch's keys, as lock_try_all() does; returns the keys whose locks
 * were taken. The messages of the others are marked busy.
 */
extern int64 *message_keys_lock(LockClass lock_class, Message *messages, int n, int *n_locked);

#endif							/* ORDER_EXT_HANDLERS_H */

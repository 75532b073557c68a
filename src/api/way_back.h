/*
 * way_back.h
 *		What can be called, now, so that money goes back: for the hints of errors.
 */
#ifndef ORDER_EXT_WAY_BACK_H
#define ORDER_EXT_WAY_BACK_H

#include "machine/after_sale/after_sale.h"
#include "machine/payment/payment.h"

/* Hints name only what works now. For an order, by its goods or without them. */
extern const char *way_back_of_order(int64 order_id);
extern const char *way_back_of_money(int64 order_id);

/*
 * Where less is left of a payment of the order than was to be paid back, though another of its
 * refunds than the given one (or 0) may be withdrawn.
 */
extern const char *way_back_of_less(int64 order_id, int64 payment_id, int64 refund_id);

/* For an after-sale whose money is on its way. */
extern const char *way_back_of_refunds(const AfterSale *after_sale);

/* For an order that cannot be canceled in its status, or cannot be intercepted any more. */
extern const char *way_back_instead_of_cancel(const Order *order);

/* For an order that nothing can be returned of, in its status or since the time is over. */
extern const char *way_back_instead_of_return(const Order *order);

/* For a capture that did not pay its order. */
extern const char *way_back_of_capture(const Payment *payment);

#endif							/* ORDER_EXT_WAY_BACK_H */

/*
 * dropped_capture.h
 *		What is remembered of the captures of orders that were dropped from the archive.
 */
#ifndef ORDER_EXT_MACHINE_PAYMENT_DROPPED_CAPTURE_H
#define ORDER_EXT_MACHINE_PAYMENT_DROPPED_CAPTURE_H

#include "machine/payment/payment.h"

/*
 * The capture with this trade number, as of this moment; false if no dropped order had it. There is
 * no row of it. See archive/dropped.h.
 */
extern bool dropped_capture(const char *pay_type, const char *out_trade_no, Payment *payment);

#endif							/* ORDER_EXT_MACHINE_PAYMENT_DROPPED_CAPTURE_H */

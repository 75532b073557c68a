/*
 * dispute.h
 *		Disputes: payments that banks take back, or want to. While one is open, no refund of its
 *		payment is claimed. The refund lock of the payment's order is held.
 */
#ifndef ORDER_EXT_MACHINE_GATEWAY_DISPUTE_H
#define ORDER_EXT_MACHINE_GATEWAY_DISPUTE_H

#include "utils/timestamp.h"

#include "machine/base/codes.h"

typedef struct Dispute
{
	int64		payment_id;
	int64		order_id;
	int64		amount;
	int64		refund_id;		/* that stands for a lost one, else 0 */
	DisputeStatus status;
	const char *pay_type;
	const char *dispute_no;
} Dispute;

/* The dispute under this number; false if there is none. */
extern bool dispute_read(const char *pay_type, const char *dispute_no, Dispute *dispute);

/* Store it as it is now, at the given time. */
extern void dispute_write(const Dispute *dispute, TimestampTz at);

/* Whether a payment is in dispute. */
extern bool dispute_is_open(int64 payment_id);

#endif							/* ORDER_EXT_MACHINE_GATEWAY_DISPUTE_H */

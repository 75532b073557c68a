/*
 * capture.h
 *		What a capture means for its order: the decision, and what follows from it. For
 *		pay_callback and assign_payment.
 */
#ifndef ORDER_EXT_CAPTURE_H
#define ORDER_EXT_CAPTURE_H

#include "machine/order/order.h"
#include "machine/payment/payment.h"

typedef struct CaptureDecision
{
	const char *disposition;
	PaymentPurpose purpose;		/* 0: no payment row of its own */
	RefundCause refund;			/* 0: none */
} CaptureDecision;

extern const CaptureDecision capture_replayed;
extern const CaptureDecision capture_mismatch_event;
extern const CaptureDecision capture_unmatched_event;

/*
 * The decision about a capture under a new trade number; order is NULL if it is not known, or was
 * dropped from the archive. The order's status decides, not its deadline: money that comes after
 * that, but before anybody has canceled the order, pays it.
 */
extern const CaptureDecision *capture_decide(const Order *order, const Capture *capture);

/*
 * What follows from the decision, once the capture is on record as this payment: its order is
 * paid, or it is paid back, or staff is alerted. Returns the refund, or 0. The order's locks
 * order_pay and order_cancel are held.
 */
extern int64 capture_follow(Journal *journal, const CaptureDecision *decision, Order *order,
							const Capture *capture, int64 payment_id, char actor);

/* The payload of an alert about a capture that waits for staff, which can be added to. */
extern JsonbBuilder *capture_alert_payload(const Order *order, const Capture *capture,
										   int64 payment_id);

/* The detail of a result about a capture. */
extern Jsonb *capture_detail(int64 payment_id, int64 refund_id, const Capture *capture,
							 PaymentPurpose purpose, bool raw_cut);

#endif							/* ORDER_EXT_CAPTURE_H */

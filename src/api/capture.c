/*
 * capture.c
 *		What a capture means for its order; see capture.h.
 */
#include "compat.h"

#include "api/capture.h"
#include "core/alert.h"
#include "core/currency.h"
#include "core/locks.h"
#include "machine/archive/dropped.h"
#include "machine/order/pay.h"
#include "machine/payment/decision.h"
#include "machine/payment/pay_type.h"
#include "machine/refund/request.h"

static const CaptureDecision applied = {"applied", PURPOSE_APPLIED, 0};
static const CaptureDecision late = {"late_refund_queued", PURPOSE_LATE, CAUSE_LATE};
static const CaptureDecision surplus = {"surplus_refund_queued", PURPOSE_SURPLUS, CAUSE_SURPLUS};
static const CaptureDecision mismatch = {"amount_mismatch_held", PURPOSE_HELD, 0};
static const CaptureDecision unmatched = {"unknown_order_held", PURPOSE_UNMATCHED, 0};
static const CaptureDecision dropped = {"dropped_order_held", PURPOSE_UNMATCHED, 0};

const CaptureDecision capture_replayed = {"replayed", 0, 0};
const CaptureDecision capture_mismatch_event = {"amount_mismatch_held", 0, 0};
const CaptureDecision capture_unmatched_event = {"unknown_order_held", 0, 0};

const CaptureDecision *
capture_decide(const Order *order, const Capture *capture)
{
	DroppedOrder was;

	if (order == NULL)
		return dropped_read(capture->order_id, &was) ? &dropped : &unmatched;
	switch ((OrderStatus) order->status)
	{
		case ORDER_CANCELED:
		case ORDER_REFUSED:
		case ORDER_INVALID:
			return &late;
		case ORDER_CREATED:
			if (capture->amount != order->pay_amount ||
				!currency_same(capture->currency, order->currency))
				return &mismatch;
			return &applied;
		default:
			return &surplus;
	}
}

JsonbBuilder *
capture_alert_payload(const Order *order, const Capture *capture, int64 payment_id)
{
	JsonbBuilder *payload = journal_payload(capture->order_id,
											order ? order->user_id : 0,
											order ? order->version : 0);

	jsonb_add_id(payload, "payment_id", payment_id);
	jsonb_add_int(payload, "amount", capture->amount);
	jsonb_add_text(payload, "currency", capture->currency);
	return payload;
}

static void
apply_to_order(Journal *journal, Order *order, const Capture *capture, int64 payment_id,
			   char actor)
{
	JsonbBuilder *detail = jsonb_object_begin();
	const OrderPaidBy paid_by = {payment_id, capture->pay_type, capture->out_trade_no};

	jsonb_add_id(detail, "payment_id", payment_id);
	order_pay(journal, order, &paid_by, actor, jsonb_object_end(detail));
}

/*
 * Request the refund of money that came too late or too often; the shop may have set for its pay
 * type that it waits.
 */
static int64
refund(Journal *journal, RefundCause cause, const Capture *capture, int64 payment_id, char actor)
{
	PayType		pay_type;
	RefundTerms terms = {0};

	lock_wait(LOCK_REFUND, capture->order_id);
	pay_type_read(capture->pay_type, &pay_type);
	terms.held = pay_type.hold_surplus &&
		(cause == CAUSE_SURPLUS || payment_has_company(capture->order_id, payment_id));
	if (pay_type.surplus_delay > 0)
		terms.claim_after = journal_time(journal) + pay_type.surplus_delay;
	return refund_request_on_terms(journal, payment_id, cause, &terms, actor);
}

int64
capture_follow(Journal *journal, const CaptureDecision *decision, Order *order,
			   const Capture *capture, int64 payment_id, char actor)
{
	if (decision->purpose == PURPOSE_APPLIED)
		apply_to_order(journal, order, capture, payment_id, actor);
	else if (decision->refund != 0)
		return refund(journal, decision->refund, capture, payment_id, actor);
	else
		(void) journal_alert(journal, capture->order_id, ALERT_PAYMENT_HELD, decision->disposition,
							 capture_alert_payload(order, capture, payment_id));
	return 0;
}

Jsonb *
capture_detail(int64 payment_id, int64 refund_id, const Capture *capture,
			   PaymentPurpose purpose, bool raw_cut)
{
	JsonbBuilder *detail = jsonb_object_begin();

	jsonb_add_id(detail, "payment_id", payment_id);
	if (purpose != 0)
		jsonb_add_text(detail, "purpose", code_name(CODES_PAYMENT_PURPOSE, purpose));
	if (refund_id != 0)
		jsonb_add_id(detail, "refund_id", refund_id);
	jsonb_add_int(detail, "amount", capture->amount);
	jsonb_add_text(detail, "currency", capture->currency);
	if (raw_cut)
		jsonb_add_bool(detail, "raw_cut", true);
	return jsonb_object_end(detail);
}

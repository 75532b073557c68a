/*
 * pay_callback.c
 *		pay_callback: money was captured. Facts are never rejected; they are recorded, and the
 *		disposition tells the outcome.
 */
#include "compat.h"

#include "api/capture.h"
#include "core/alert.h"
#include "core/arg_codes.h"
#include "core/args.h"
#include "core/call.h"
#include "core/currency.h"
#include "core/locks.h"
#include "core/settings.h"
#include "machine/base/held_fact.h"
#include "machine/payment/dropped_capture.h"
#include "machine/refund/refund.h"

/*
 * The trade number is already recorded: is this the same fact or another one? NULL if it is the
 * capture of what is only an attempt there, to be decided like any new one.
 */
static const CaptureDecision *
decide_known_trade(const Payment *known, const Capture *capture)
{
	if (known->order_id != capture->order_id)
		return &capture_unmatched_event;
	if (known->status != PAYMENT_CAPTURED)
		return NULL;
	if (known->amount == capture->amount && currency_same(known->currency, capture->currency))
		return &capture_replayed;
	return &capture_mismatch_event;
}

/* ---- carrying it out ---- */

/* A notice about a trade number that is known cannot be a payment of its own: a fact for staff. */
static void
hold_notice(Journal *journal, const Order *order, const Capture *capture, int64 payment_id,
			const char *disposition)
{
	HeldFact	fact = {
		.kind = FACT_PAY_CALLBACK, .order_id = capture->order_id, .entity_id = payment_id,
		.reason = disposition
	};
	JsonbBuilder *told = jsonb_object_begin();

	jsonb_add_text(told, "pay_type", capture->pay_type);
	jsonb_add_text(told, "out_trade_no", capture->out_trade_no);
	jsonb_add_int(told, "amount", capture->amount);
	jsonb_add_text(told, "currency", capture->currency);
	jsonb_add_timestamptz(told, "paid_at", capture->paid_at);
	fact.told = jsonb_object_end(told);
	held_fact_record(journal, &fact, ALERT_PAYMENT_HELD, capture->order_id,
					 capture_alert_payload(order, capture, payment_id));
}

/*
 * A fact about a trade number that is already recorded. Returns its payment. A repeated fact is
 * stored, and an alert sent, only once.
 */
static int64
carry_out_event(Journal *journal, const CaptureDecision *decision, const Payment *known,
				const Order *order, const Capture *capture)
{
	if (decision != &capture_replayed &&
		payment_event_record(known->payment_id, capture, decision->disposition,
							 journal_time(journal)))
		hold_notice(journal, order, capture, known->payment_id, decision->disposition);
	return known->payment_id;
}

/* A new capture, on the attempt it belongs to or in a new row. */
static int64
carry_out_capture(Journal *journal, const CaptureDecision *decision, const Payment *known,
				  Order *order, const Capture *capture, int64 *refund_id)
{
	Payment		open;
	const Payment *attempt = known;
	int64		payment_id;

	if (attempt == NULL && order != NULL &&
		payment_open_attempt(capture->order_id, capture->pay_type, &open))
		attempt = &open;
	payment_id = payment_capture(journal, attempt, capture, decision->purpose, ACTOR_GATEWAY);
	*refund_id = capture_follow(journal, decision, order, capture, payment_id, ACTOR_GATEWAY);
	return payment_id;
}

/* ---- arguments ---- */

static void
read_capture(FunctionCallInfo fcinfo, Capture *capture, bool *raw_cut)
{
	/* an id that matches no order is still a fact: it is recorded as unmatched */
	arg_not_null(fcinfo, 0, "order_id");
	capture->order_id = PG_GETARG_INT64(0);
	capture->out_trade_no = arg_codes_trimmed(fcinfo, 1, "out_trade_no",
											  MAX_TRADE_NO_CHARS);
	capture->pay_type = arg_codes_lower(fcinfo, 2, "pay_type", MAX_PAY_TYPE_CHARS);
	capture->amount = arg_amount(fcinfo, 3, "pay_amount");
	capture->currency = arg_codes_told_currency(fcinfo, 4, "currency");
	capture->currency_told = capture->currency != NULL;
	capture->paid_at = PG_ARGISNULL(5) ? GetCurrentTimestamp() :
		arg_timestamptz(fcinfo, 5, "paid_at");
	capture->raw = arg_evidence(fcinfo, 6, "raw", raw_cut);
}

/* The order's, if none was told; in a repetition, the same as the first time. */
static void
complete_currency(Capture *capture, const Order *order, const Payment *known)
{
	if (capture->currency != NULL)
	{
		if (order != NULL && currency_same(capture->currency, order->currency))
			capture->currency = order->currency;
	}
	else if (known != NULL && known->assigned)
		capture->currency = known->currency;
	else
		capture->currency = order ? order->currency :
			known ? known->currency : setting_currency;
}

/* ---- the call ---- */

static Datum
pay_callback_body(FunctionCallInfo fcinfo)
{
	Capture		capture;
	bool		raw_cut;
	Order		found_order;
	Order	   *order = NULL;
	Payment		found_payment;
	Payment    *known = NULL;
	const CaptureDecision *decision = NULL;
	CallResult	result = {0};
	Journal    *journal;
	int64		payment_id;
	int64		refund_id = 0;
	PaymentPurpose purpose;

	read_capture(fcinfo, &capture, &raw_cut);
	payment_lock_trade(capture.pay_type, capture.out_trade_no);
	lock_wait(LOCK_ORDER_PAY, capture.order_id);
	lock_wait(LOCK_ORDER_CANCEL, capture.order_id);
	if (payment_by_trade_no(capture.pay_type, capture.out_trade_no, &found_payment) ||
		dropped_capture(capture.pay_type, capture.out_trade_no, &found_payment))
		known = &found_payment;
	/* what staff has assigned to another order is about that order */
	if (known != NULL && known->assigned && known->told_order_id == capture.order_id)
		capture.order_id = known->order_id;
	if (order_read_current(capture.order_id, &found_order))
		order = &found_order;
	complete_currency(&capture, order, known);

	if (known != NULL)
		decision = decide_known_trade(known, &capture);
	journal = journal_begin(GetCurrentTimestamp());
	if (decision != NULL)
	{
		payment_id = carry_out_event(journal, decision, known, order, &capture);
		/* repeat the first answer, which named the refund that the callback itself created */
		if (decision == &capture_replayed &&
			(known->purpose == PURPOSE_LATE || known->purpose == PURPOSE_SURPLUS))
			refund_id = refund_of_payment(payment_id);
		purpose = decision == &capture_replayed ? known->purpose : 0;
	}
	else
	{
		decision = capture_decide(order, &capture);
		payment_id = carry_out_capture(journal, decision, known, order, &capture, &refund_id);
		purpose = decision->purpose;
	}
	journal_write(journal);

	order_result(&result, capture.order_id, order);
	result.disposition = decision->disposition;
	result.detail = capture_detail(payment_id, refund_id, &capture, purpose, raw_cut);
	return call_return_result(fcinfo, &result);
}

PG_FUNCTION_INFO_V1(order_ext_pay_callback);
Datum
order_ext_pay_callback(PG_FUNCTION_ARGS)
{
	return api_call(fcinfo, pay_callback_body);
}

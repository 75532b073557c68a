/*
 * pay_callback.c
 *		pay_callback: money was captured. Facts are never rejected; they are recorded, and the
 *		disposition tells the outcome.
 */
#include "compat.h"

#include "common/hashfn.h"

#include "core/alert.h"
#include "core/arg_codes.h"
#include "core/args.h"
#include "core/call.h"
#include "core/currency.h"
#include "core/jsonb_build.h"
#include "core/locks.h"
#include "core/settings.h"
#include "machine/coupon.h"
#include "machine/held_fact.h"
#include "machine/order.h"
#include "machine/payment.h"
#include "machine/refund.h"
#include "machine/refund_request.h"

/* The decision about a capture. */
typedef struct Decision
{
	const char *disposition;
	PaymentPurpose purpose;		/* 0: no payment row of its own */
	RefundCause refund;			/* 0: none */
} Decision;

static const Decision applied = {"applied", PURPOSE_APPLIED, 0};
static const Decision replayed = {"replayed", 0, 0};
static const Decision late = {"late_refund_queued", PURPOSE_LATE, CAUSE_LATE};
static const Decision surplus = {"surplus_refund_queued", PURPOSE_SURPLUS, CAUSE_SURPLUS};
static const Decision mismatch = {"amount_mismatch_held", PURPOSE_HELD, 0};
static const Decision unmatched = {"unknown_order_held", PURPOSE_UNMATCHED, 0};
static const Decision mismatch_event = {"amount_mismatch_held", 0, 0};
static const Decision unmatched_event = {"unknown_order_held", 0, 0};

/* Captures with the same trade number wait for each other; the first one decides. */
static int64
trade_lock_key(const Capture *capture)
{
	uint64		seed = hash_bytes_extended((const unsigned char *) capture->pay_type,
										   strlen(capture->pay_type), 1);

	return (int64) hash_bytes_extended((const unsigned char *) capture->out_trade_no,
									   strlen(capture->out_trade_no), seed);
}

/* The trade number is already recorded: is this the same fact or another one? */
static const Decision *
decide_known_trade(const Payment *known, const Capture *capture)
{
	if (known->order_id != capture->order_id)
		return &unmatched_event;
	if (known->status != PAYMENT_CAPTURED)
		return NULL;
	if (known->amount == capture->amount && currency_same(known->currency, capture->currency))
		return &replayed;
	return &mismatch_event;
}

static const Decision *
decide_new_trade(const Order *order, const Capture *capture)
{
	if (order == NULL)
		return &unmatched;
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

/* ---- carrying it out ---- */

static JsonbBuilder *
held_payload(const Order *order, const Capture *capture, int64 payment_id)
{
	JsonbBuilder *payload = journal_payload(capture->order_id,
											order ? order->user_id : 0,
											order ? order->version : 0);

	jsonb_add_id(payload, "payment_id", payment_id);
	jsonb_add_int(payload, "amount", capture->amount);
	jsonb_add_text(payload, "currency", capture->currency);
	return payload;
}

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
					 held_payload(order, capture, payment_id));
}

static void
apply_to_order(Journal *journal, Order *order, int64 payment_id)
{
	JsonbBuilder *detail = jsonb_object_begin();

	jsonb_add_id(detail, "payment_id", payment_id);
	orders_fire(journal, order, 1, EVENT_PAY, ACTOR_GATEWAY, NULL, jsonb_object_end(detail));
	if (order->coupon_id != 0)
		coupon_use(journal, order->coupon_id, order->order_id, ACTOR_GATEWAY);
}

/*
 * A fact about a trade number that is already recorded. Returns its payment. A repeated fact is
 * stored, and an alert sent, only once.
 */
static int64
carry_out_event(Journal *journal, const Decision *decision, const Payment *known,
				const Order *order, const Capture *capture)
{
	if (decision != &replayed &&
		payment_event_record(known->payment_id, capture, decision->disposition,
							 journal_time(journal)))
		hold_notice(journal, order, capture, known->payment_id, decision->disposition);
	return known->payment_id;
}

/* A new capture, on the attempt it belongs to or in a new row. */
static int64
carry_out_capture(Journal *journal, const Decision *decision, const Payment *known,
				  Order *order, const Capture *capture, int64 *refund_id)
{
	Payment		open;
	const Payment *attempt = known;
	int64		payment_id;

	if (attempt == NULL && order != NULL &&
		payment_open_attempt(capture->order_id, capture->pay_type, &open))
		attempt = &open;
	payment_id = payment_capture(journal, attempt, capture, decision->purpose, ACTOR_GATEWAY);

	if (decision->purpose == PURPOSE_APPLIED)
		apply_to_order(journal, order, payment_id);
	else if (decision->refund != 0)
	{
		lock_wait(LOCK_REFUND, capture->order_id);
		*refund_id = refund_request(journal, payment_id, decision->refund, ACTOR_GATEWAY);
	}
	else
		journal_alert(journal, capture->order_id, ALERT_PAYMENT_HELD, decision->disposition,
					  held_payload(order, capture, payment_id));
	return payment_id;
}

/* ---- arguments ---- */

static void
read_capture(FunctionCallInfo fcinfo, Capture *capture, bool *raw_cut)
{
	/* an id that matches no order is still a fact: it is recorded as unmatched */
	arg_not_null(fcinfo, 0, "order_id");
	capture->order_id = PG_GETARG_INT64(0);
	capture->out_trade_no = arg_text(fcinfo, 1, "out_trade_no", MAX_TRADE_NO_CHARS);
	capture->pay_type = arg_text(fcinfo, 2, "pay_type", MAX_PAY_TYPE_CHARS);
	capture->amount = arg_amount(fcinfo, 3, "pay_amount");
	capture->currency = arg_codes_told_currency(fcinfo, 4, "currency");
	capture->paid_at = arg_timestamptz(fcinfo, 5, "paid_at");
	capture->raw = arg_evidence(fcinfo, 6, "raw", raw_cut);
}

/* ---- the call ---- */

static Jsonb *
callback_detail(int64 payment_id, int64 refund_id, const Capture *capture,
				const char *purpose, bool raw_cut)
{
	JsonbBuilder *detail = jsonb_object_begin();

	jsonb_add_id(detail, "payment_id", payment_id);
	if (purpose != NULL)
		jsonb_add_text(detail, "purpose", purpose);
	if (refund_id != 0)
		jsonb_add_id(detail, "refund_id", refund_id);
	jsonb_add_int(detail, "amount", capture->amount);
	jsonb_add_text(detail, "currency", capture->currency);
	if (raw_cut)
		jsonb_add_bool(detail, "raw_cut", true);
	return jsonb_object_end(detail);
}

static Datum
pay_callback_body(FunctionCallInfo fcinfo)
{
	Capture		capture;
	bool		raw_cut;
	Order		found_order;
	Order	   *order = NULL;
	Payment		found_payment;
	Payment    *known = NULL;
	const Decision *decision = NULL;
	CallResult	result = {0};
	Journal    *journal;
	int64		payment_id;
	int64		refund_id = 0;

	read_capture(fcinfo, &capture, &raw_cut);
	lock_wait(LOCK_REQUEST, trade_lock_key(&capture));
	lock_wait(LOCK_ORDER_PAY, capture.order_id);
	lock_wait(LOCK_ORDER_CANCEL, capture.order_id);
	if (order_read_current(capture.order_id, &found_order))
		order = &found_order;
	if (payment_by_trade_no(capture.pay_type, capture.out_trade_no, &found_payment))
		known = &found_payment;
	if (capture.currency == NULL)
		capture.currency = order ? order->currency :
			known ? known->currency : setting_currency;
	else if (order != NULL && currency_same(capture.currency, order->currency))
		capture.currency = order->currency;

	if (known != NULL)
		decision = decide_known_trade(known, &capture);
	journal = journal_begin(GetCurrentTimestamp());
	if (decision != NULL)
	{
		payment_id = carry_out_event(journal, decision, known, order, &capture);
		/* repeat the first answer, which named the refund that the callback itself created */
		if (decision == &replayed &&
			(known->purpose == PURPOSE_LATE || known->purpose == PURPOSE_SURPLUS))
			refund_id = refund_of_payment(payment_id);
	}
	else
	{
		decision = decide_new_trade(order, &capture);
		payment_id = carry_out_capture(journal, decision, known, order, &capture, &refund_id);
	}
	journal_write(journal);

	order_result(&result, capture.order_id, order);
	result.disposition = decision->disposition;
	result.detail = callback_detail(payment_id, refund_id, &capture,
									code_name(CODES_PAYMENT_PURPOSE,
											  decision == &replayed ? known->purpose :
											  decision->purpose), raw_cut);
	return call_return_result(fcinfo, &result);
}

PG_FUNCTION_INFO_V1(order_ext_pay_callback);
Datum
order_ext_pay_callback(PG_FUNCTION_ARGS)
{
	return api_call(fcinfo, pay_callback_body);
}

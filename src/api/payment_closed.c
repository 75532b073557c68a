/*
 * payment_closed.c
 *		payment_closed: the gateway reports that a payment attempt was closed or failed.
 */
#include "compat.h"

#include "core/alert.h"
#include "core/arg_codes.h"
#include "core/args.h"
#include "core/call.h"
#include "core/jsonb_build.h"
#include "core/locks.h"
#include "machine/base/held_fact.h"
#include "machine/order/order.h"
#include "machine/payment/dropped_capture.h"
#include "machine/payment/payment.h"

static const char *const outcome_words[] = {"closed", "failed", NULL};
static const Event outcome_events[] = {EVENT_PAYMENT_CLOSE, EVENT_PAYMENT_FAIL};
static const int16 outcome_statuses[] = {PAYMENT_CLOSED, PAYMENT_FAILED};

/*
 * The attempt that pre_pay_order() gave this number to; a capture under the gateway's own
 * number may have replaced it since.
 */
static bool
attempt_of_own_number(const PaymentNotice *notice, Payment *payment)
{
	char	   *prefix = psprintf(INT64_FORMAT "-", notice->order_id);
	int64		payment_id;

	if (strncmp(notice->out_trade_no, prefix, strlen(prefix)) != 0)
		return false;
	payment_id = strtoll(notice->out_trade_no + strlen(prefix), NULL, 10);
	return strcmp(notice->out_trade_no, psprintf("%s" INT64_FORMAT, prefix, payment_id)) == 0 &&
		payment_read(payment_id, payment) &&
		payment->order_id == notice->order_id && strcmp(payment->pay_type, notice->pay_type) == 0;
}

static bool
find_payment(const PaymentNotice *notice, Payment *payment)
{
	return payment_by_trade_no(notice->pay_type, notice->out_trade_no, payment) ||
		attempt_of_own_number(notice, payment) ||
		payment_only_open_attempt(notice->order_id, notice->pay_type, payment) ||
		dropped_capture(notice->pay_type, notice->out_trade_no, payment);
}

static const char *
hold(Journal *journal, const PaymentNotice *notice, const Payment *payment, const Order *order)
{
	HeldFact	fact = {
		.kind = FACT_PAYMENT_CLOSED, .order_id = notice->order_id,
		.entity_id = payment != NULL ? payment->payment_id : 0
	};
	JsonbBuilder *payload;

	if (!payment_notice_record(notice, payment ? payment->payment_id : 0, journal_time(journal)))
		return "held";
	payload = journal_payload(notice->order_id, order ? order->user_id : 0,
							  order ? order->version : 0);
	jsonb_add_text(payload, "outcome", notice->outcome);
	jsonb_add_text(payload, "pay_type", notice->pay_type);
	jsonb_add_text(payload, "out_trade_no", notice->out_trade_no);
	if (payment != NULL)
		jsonb_add_id(payload, "payment_id", payment->payment_id);
	held_fact_record(journal, &fact, ALERT_PAYMENT_NOTICE_HELD, notice->order_id, payload);
	return "held";
}

static const char *
decide(Journal *journal, const PaymentNotice *notice, int outcome, Payment *payment,
	   const Order *order)
{
	if (payment == NULL || payment->order_id != notice->order_id)
		return hold(journal, notice, payment, order);
	if (payment->status == PAYMENT_CAPTURED)
		return "noop";
	if (payment->status == outcome_statuses[outcome])
		return "replayed";
	if (payment->status != PAYMENT_INITIATED)
		return hold(journal, notice, payment, order);
	payment_end(journal, payment, outcome_events[outcome], notice->out_trade_no, ACTOR_GATEWAY);
	return "applied";
}

static Datum
payment_closed_body(FunctionCallInfo fcinfo)
{
	PaymentNotice notice;
	int			outcome;
	bool		raw_cut;
	Payment		found_payment;
	Payment    *payment = NULL;
	Order		found_order;
	Order	   *order = NULL;
	Journal    *journal;
	CallResult	result = {0};
	JsonbBuilder *detail = jsonb_object_begin();

	notice.order_id = arg_id(fcinfo, 0, "order_id");
	notice.out_trade_no = arg_codes_trimmed(fcinfo, 1, "out_trade_no", MAX_TRADE_NO_CHARS);
	notice.pay_type = arg_codes_lower(fcinfo, 2, "pay_type", MAX_PAY_TYPE_CHARS);
	outcome = arg_word(fcinfo, 3, "outcome", outcome_words);
	notice.outcome = outcome_words[outcome];
	notice.raw = arg_evidence(fcinfo, 4, "raw", &raw_cut);

	lock_wait(LOCK_ORDER_PAY, notice.order_id);
	lock_wait(LOCK_ORDER_CANCEL, notice.order_id);
	if (order_read_current(notice.order_id, &found_order))
		order = &found_order;
	if (find_payment(&notice, &found_payment))
		payment = &found_payment;
	journal = journal_begin(GetCurrentTimestamp());
	result.disposition = decide(journal, &notice, outcome, payment, order);
	journal_write(journal);

	order_result(&result, notice.order_id, order);
	if (payment != NULL && payment->order_id == notice.order_id)
	{
		jsonb_add_id(detail, "payment_id", payment->payment_id);
		jsonb_add_text(detail, "payment_status",
					   machine_status_name(MACHINE_PAYMENT, payment->status));
	}
	jsonb_add_text(detail, "outcome", notice.outcome);
	if (raw_cut)
		jsonb_add_bool(detail, "raw_cut", true);
	result.detail = jsonb_object_end(detail);
	return call_return_result(fcinfo, &result);
}

PG_FUNCTION_INFO_V1(order_ext_payment_closed);
Datum
order_ext_payment_closed(PG_FUNCTION_ARGS)
{
	return api_call(fcinfo, payment_closed_body);
}

/*
 * money_outside.c
 *		record_refund and payment_disputed: money that went back outside of the engine. Facts are
 *		never rejected: they are recorded, and the disposition tells the outcome.
 */
#include "compat.h"

#include "api/refund_result.h"
#include "core/alert.h"
#include "core/arg_codes.h"
#include "core/args.h"
#include "core/call.h"
#include "core/locks.h"
#include "machine/archive/dropped.h"
#include "machine/gateway/dispute.h"
#include "machine/gateway/money_back.h"
#include "machine/order/order.h"
#include "machine/payment/decision.h"
#include "machine/payment/dropped_capture.h"
#include "machine/refund/decision.h"

#define MAX_DISPUTE_NO_CHARS 128

/* In the order of the words. */
static const MoneyFactKind outcome_kinds[] = {
	MONEY_FACT_DISPUTE_OPENED, MONEY_FACT_DISPUTE_WON, MONEY_FACT_DISPUTE_LOST
};
static const char *const outcome_words[] = {"opened", "won", "lost", NULL};

/* The fact, with what it is about as far as that is known. */
typedef struct Told
{
	MoneyFact	fact;
	Payment		payment;
	bool		known;			/* payment is the one that it names */
	Order		order;
	bool		has_order;
	bool		raw_cut;
} Told;

/* Read the arguments that both calls have in common; amount is argument n. */
static void
read_fact(FunctionCallInfo fcinfo, Told *told, int amount_arg)
{
	MoneyFact  *fact = &told->fact;

	arg_not_null(fcinfo, 0, "order_id");
	fact->order_id = PG_GETARG_INT64(0);
	fact->out_trade_no = arg_codes_trimmed(fcinfo, 1, "out_trade_no", MAX_TRADE_NO_CHARS);
	fact->pay_type = arg_codes_lower(fcinfo, 2, "pay_type", MAX_PAY_TYPE_CHARS);
	fact->has_amount = !PG_ARGISNULL(amount_arg);
	if (fact->has_amount)
		fact->amount = arg_id(fcinfo, amount_arg, "amount");
	fact->raw = arg_evidence(fcinfo, 6, "raw", &told->raw_cut);
}

/*
 * Find the payment under the lock of its trade number, so that it stays with its order, and under
 * the refund lock of that order. A duplicate tells of the money of another record. The order's row
 * is locked before, if it is (REPEATABLE READ): callbacks have it when they wait for that lock.
 */
static void
find_payment(Told *told)
{
	MoneyFact  *fact = &told->fact;
	Payment    *payment = &told->payment;

	money_fact_lock(fact);
	payment_lock_trade(fact->pay_type, fact->out_trade_no);
	told->known = payment_by_trade_no(fact->pay_type, fact->out_trade_no, payment) &&
		payment->status == PAYMENT_CAPTURED &&
		(payment->order_id == fact->order_id ||
		 (payment->assigned && payment->told_order_id == fact->order_id));
	if (!told->known)
		return;
	(void) order_read_current(payment->order_id, &told->order);
	lock_wait(LOCK_REFUND, payment->order_id);
	(void) payment_read(payment_of_money(payment->payment_id), payment);
	fact->payment_id = payment->payment_id;
	told->has_order = order_read_current(payment->order_id, &told->order);
}

static const char *
hold(Journal *journal, const Told *told, const char *reason)
{
	money_fact_hold(journal, &told->fact, reason, told->has_order ? told->order.user_id : 0,
					told->has_order ? told->order.version : 0);
	return "held";
}

/* Why the fact is about no payment that is known. */
static const char *
why_unknown(const Told *told)
{
	Payment		payment;

	return dropped_capture(told->fact.pay_type, told->fact.out_trade_no, &payment) ?
		"dropped_order" : "unknown_payment";
}

/* ---- record_refund ---- */

/* Why the refund cannot be recorded; NULL if it can. */
static const char *
refuse_refund(const Told *told)
{
	int64		payment_id = told->payment.payment_id;

	if (!told->known)
		return why_unknown(told);
	if (dropped_had_number("number", told->fact.number))
		return "number_used";
	if (refund_is_claimed(payment_id, told->fact.amount))
		return "refund_under_way";
	if (told->fact.amount > money_left_for_facts(payment_id))
		return refund_is_claimed(payment_id, 0) ? "refund_under_way" : "more_than_left";
	return NULL;
}

/* Returns the disposition; refund_id 0 and a reason where it is held. */
static const char *
record(Journal *journal, Told *told, int64 *refund_id, const char **reason)
{
	MoneyFact  *fact = &told->fact;
	MoneyFact	before;
	int64		fact_id;

	if (money_fact_applied(fact, &before))
	{
		*refund_id = before.refund_id;
		if (told->known && before.payment_id == fact->payment_id && before.amount == fact->amount)
			return "replayed";
		*refund_id = 0;
		*reason = "number_used";
		return hold(journal, told, *reason);
	}
	*refund_id = money_fact_told(fact);
	if (*refund_id != 0)
		return "replayed";
	*reason = refuse_refund(told);
	if (*reason != NULL)
		return hold(journal, told, *reason);
	fact_id = money_fact_reserve();
	fact->refund_id = money_back_recorded(journal, &told->payment, fact, fact_id);
	money_fact_record(fact, fact_id, journal_time(journal));
	*refund_id = fact->refund_id;
	return "applied";
}

static Datum
return_held(FunctionCallInfo fcinfo, const Told *told, const char *reason)
{
	CallResult	result = {.id_is_null = true, .disposition = "held"};
	JsonbBuilder *detail = jsonb_object_begin();

	jsonb_add_text(detail, "reason", reason);
	if (told->fact.payment_id != 0)
		jsonb_add_id(detail, "payment_id", told->fact.payment_id);
	jsonb_add_int(detail, "amount", told->fact.amount);
	if (told->raw_cut)
		jsonb_add_bool(detail, "raw_cut", true);
	result.detail = jsonb_object_end(detail);
	return call_return_result(fcinfo, &result);
}

static Datum
record_refund_body(FunctionCallInfo fcinfo)
{
	Told		told = {.fact = {.kind = MONEY_FACT_REFUND}};
	const char *disposition;
	const char *reason = NULL;
	int64		refund_id;
	CallResult	result;
	JsonbBuilder *detail;
	Journal    *journal;
	Refund		refund;

	arg_not_null(fcinfo, 4, "amount");
	read_fact(fcinfo, &told, 4);
	told.fact.number = arg_codes_trimmed(fcinfo, 3, "gateway_refund_no", MAX_REFUND_NO_CHARS);
	told.fact.occurred_at = PG_ARGISNULL(5) ? GetCurrentTimestamp() :
		arg_timestamptz(fcinfo, 5, "refunded_at");

	find_payment(&told);
	journal = journal_begin(GetCurrentTimestamp());
	disposition = record(journal, &told, &refund_id, &reason);
	journal_write(journal);
	if (refund_id == 0)
		return return_held(fcinfo, &told, reason);
	refund_read_or_fail(refund_id, &refund);
	detail = refund_detail(&refund);
	jsonb_add_text(detail, "gateway_refund_no", told.fact.number);
	if (told.raw_cut)
		jsonb_add_bool(detail, "raw_cut", true);
	refund_result(&result, &refund, disposition, detail);
	return call_return_result(fcinfo, &result);
}

PG_FUNCTION_INFO_V1(order_ext_record_refund);
Datum
order_ext_record_refund(PG_FUNCTION_ARGS)
{
	return api_call(fcinfo, record_refund_body);
}

/* ---- payment_disputed ---- */

static Jsonb *
dispute_log_detail(const Dispute *dispute)
{
	JsonbBuilder *detail = jsonb_object_begin();

	jsonb_add_text(detail, "dispute_no", dispute->dispute_no);
	jsonb_add_int(detail, "amount", dispute->amount);
	return jsonb_object_end(detail);
}

static void
alert(Journal *journal, const Told *told, const Dispute *dispute)
{
	JsonbBuilder *payload = journal_payload(told->payment.order_id,
											told->has_order ? told->order.user_id : 0,
											told->has_order ? told->order.version : 0);

	jsonb_add_text(payload, "outcome", code_name(CODES_DISPUTE_STATUS, dispute->status));
	jsonb_add_text(payload, "pay_type", dispute->pay_type);
	jsonb_add_text(payload, "dispute_no", dispute->dispute_no);
	jsonb_add_id(payload, "payment_id", dispute->payment_id);
	jsonb_add_int(payload, "amount", dispute->amount);
	journal_alert(journal, told->payment.order_id, ALERT_PAYMENT_DISPUTED, NULL, payload);
}

/* The dispute begins, or ends: money goes back, or refunds go on. */
static void
carry_out(Journal *journal, Told *told, Dispute *dispute)
{
	static const Event events[] = {EVENT_DISPUTE_OPEN, EVENT_DISPUTE_WIN, EVENT_DISPUTE_LOSE};
	static const DisputeStatus statuses[] = {DISPUTE_OPENED, DISPUTE_WON, DISPUTE_LOST};
	MoneyFact  *fact = &told->fact;
	int			outcome = fact->kind - MONEY_FACT_DISPUTE_OPENED;
	int64		fact_id = money_fact_reserve();

	dispute->payment_id = told->payment.payment_id;
	dispute->order_id = told->payment.order_id;
	dispute->amount = fact->amount;
	dispute->status = statuses[outcome];
	payment_note(journal, &told->payment, events[outcome], ACTOR_GATEWAY,
				 dispute_log_detail(dispute));
	if (dispute->status == DISPUTE_LOST)
		dispute->refund_id = fact->refund_id =
			money_back_lost(journal, &told->payment, fact, fact_id);
	dispute_write(dispute, journal_time(journal));
	money_fact_record(fact, fact_id, journal_time(journal));
	if (dispute->status != DISPUTE_OPENED)
		refunds_publish_of_payment(journal, dispute->payment_id);
	alert(journal, told, dispute);
}

static const char *
decide(Journal *journal, Told *told, Dispute *dispute, const char **reason)
{
	MoneyFact  *fact = &told->fact;
	bool		exists = dispute_read(fact->pay_type, fact->number, dispute);
	bool		opens = fact->kind == MONEY_FACT_DISPUTE_OPENED;
	MoneyFact	before;

	if (exists && told->known && dispute->payment_id != fact->payment_id)
		*reason = "another_payment";
	else if (!told->known)
		*reason = why_unknown(told);
	else if (!exists && dropped_had_number("number", fact->number))
		*reason = "another_payment";
	else if (exists && opens && dispute->status != DISPUTE_OPENED)
		return "noop";
	else if (money_fact_applied(fact, &before))
		return "replayed";
	else if (exists && dispute->status != DISPUTE_OPENED)
		*reason = "contrary_outcome";
	if (*reason == NULL)
	{
		dispute->pay_type = fact->pay_type;
		dispute->dispute_no = fact->number;
		if (!fact->has_amount)
			fact->amount = exists ? dispute->amount : told->payment.amount;
		fact->has_amount = true;
		if (fact->kind != MONEY_FACT_DISPUTE_WON &&
			fact->amount > money_left_for_facts(told->payment.payment_id))
			*reason = "more_than_left";
	}
	if (*reason != NULL)
		return hold(journal, told, *reason);
	carry_out(journal, told, dispute);
	return "applied";
}

static Jsonb *
disputed_detail(const Told *told, const Dispute *dispute, const char *reason)
{
	const MoneyFact *fact = &told->fact;
	JsonbBuilder *detail = jsonb_object_begin();

	if (reason != NULL)
		jsonb_add_text(detail, "reason", reason);
	if (fact->payment_id != 0)
		jsonb_add_id(detail, "payment_id", fact->payment_id);
	jsonb_add_text(detail, "dispute_no", fact->number);
	if (reason == NULL)
	{
		jsonb_add_text(detail, "outcome", code_name(CODES_DISPUTE_STATUS, dispute->status));
		jsonb_add_int(detail, "amount", dispute->amount);
		if (dispute->refund_id != 0)
			jsonb_add_id(detail, "refund_id", dispute->refund_id);
	}
	if (told->raw_cut)
		jsonb_add_bool(detail, "raw_cut", true);
	return jsonb_object_end(detail);
}

static Datum
payment_disputed_body(FunctionCallInfo fcinfo)
{
	Told		told = {0};
	Dispute		dispute = {0};
	const char *reason = NULL;
	CallResult	result = {0};
	Journal    *journal;

	read_fact(fcinfo, &told, 5);
	told.fact.number = arg_codes_trimmed(fcinfo, 3, "dispute_no", MAX_DISPUTE_NO_CHARS);
	told.fact.kind = outcome_kinds[arg_word(fcinfo, 4, "outcome", outcome_words)];
	told.fact.occurred_at = GetCurrentTimestamp();

	find_payment(&told);
	journal = journal_begin(told.fact.occurred_at);
	result.disposition = decide(journal, &told, &dispute, &reason);
	journal_write(journal);
	order_result(&result, told.known ? told.payment.order_id : told.fact.order_id,
				 told.has_order ? &told.order : NULL);
	result.detail = disputed_detail(&told, &dispute, reason);
	return call_return_result(fcinfo, &result);
}

PG_FUNCTION_INFO_V1(order_ext_payment_disputed);
Datum
order_ext_payment_disputed(PG_FUNCTION_ARGS)
{
	return api_call(fcinfo, payment_disputed_body);
}

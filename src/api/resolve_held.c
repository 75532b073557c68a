/*
 * resolve_held.c
 *		resolve_held_payment: staff decides about money that matches no order or not the order's
 *		amount.
 */
#include "compat.h"

#include "api/way_back.h"
#include "core/args.h"
#include "core/call.h"
#include "core/currency.h"
#include "core/error_facts.h"
#include "core/errors.h"
#include "core/jsonb_build.h"
#include "core/locks.h"
#include "machine/after_sale/flow.h"
#include "machine/after_sale/refunds.h"
#include "machine/gateway/dispute.h"
#include "machine/order/accept_less.h"
#include "machine/order/order.h"
#include "machine/order/pay.h"
#include "machine/payment/decision.h"
#include "machine/refund/decision.h"
#include "machine/refund/request.h"

/* In the order of the words. */
typedef enum HeldDecision
{
	DECIDE_ACCEPT,
	DECIDE_REFUND,
	DECIDE_DUPLICATE
} HeldDecision;

static const char *const decision_words[] = {"accept", "refund", "duplicate", NULL};

static bool
awaits_decision(const Payment *payment)
{
	return payment->status == PAYMENT_CAPTURED &&
		(payment->purpose == PURPOSE_HELD || payment->purpose == PURPOSE_UNMATCHED);
}

static void
check_may_accept(const Payment *payment, const Order *order, bool less)
{
	int64		refund_id = refund_of_payment(payment->payment_id);
	const char *way_back = way_back_of_capture(payment);
	bool		may_be_less;

	if (order == NULL || order->status != ORDER_CREATED)
		ereport(ERROR,
				(errcode(ERRCODE_OE_WRONG_STATUS),
				 errmsg("payment " INT64_FORMAT " can no longer be used for order " INT64_FORMAT,
						payment->payment_id, payment->order_id),
				 order == NULL ? error_facts("The order does not exist.",
											 FACT_TEXT("reason", "no_order"),
											 FACT_ID("payment_id", payment->payment_id),
											 FACT_ID("order_id", payment->order_id)) :
				 error_facts("Its status is \"{status}\".",
							 FACT_ID("payment_id", payment->payment_id),
							 FACT_ID("order_id", order->order_id),
							 FACT_TEXT("status",
									   machine_status_name(MACHINE_ORDER, order->status))),
				 errhint("%s", way_back)));
	if (refund_id != 0)
		ereport(ERROR,
				(errcode(ERRCODE_OE_WRONG_STATUS),
				 errmsg("payment " INT64_FORMAT " is being refunded", payment->payment_id),
				 error_facts("Its refund is {refund_id}.",
							 FACT_TEXT("reason", "refund"),
							 FACT_ID("payment_id", payment->payment_id),
							 FACT_ID("refund_id", refund_id)),
				 errhint("%s", way_back)));
	may_be_less = payment->amount > 0 && currency_same(payment->currency, order->currency);
	if (!currency_same(payment->currency, order->currency) ||
		(payment->amount < order->pay_amount && !(less && may_be_less)))
		ereport(ERROR,
				(errcode(ERRCODE_OE_AMOUNT_DIFFERS),
				 errmsg("payment " INT64_FORMAT " does not cover its order", payment->payment_id),
				 error_facts("The order costs {expected} {currency}, but the payment is "
							 "{amount} {payment_currency}.",
							 FACT_ID("payment_id", payment->payment_id),
							 FACT_ID("order_id", order->order_id),
							 FACT_INT("expected", order->pay_amount),
							 FACT_TEXT("currency", order->currency),
							 FACT_INT("amount", payment->amount),
							 FACT_TEXT("payment_currency", payment->currency)),
				 may_be_less && !less ?
				 errhint("Pass accept_less => true, or use decision 'refund'.") :
				 errhint("%s", way_back)));
}

/*
 * Pay the order and use its coupon; any excess is paid back, and if less than it costs is
 * accepted, the rest is a discount. Returns the refund id.
 */
static int64
accept_payment(Journal *journal, Payment *payment, Order *order, bool less)
{
	JsonbBuilder *detail = jsonb_object_begin();
	const OrderPaidBy paid_by = {payment->payment_id, payment->pay_type, payment->out_trade_no};

	check_may_accept(payment, order, less);
	payment_accept(journal, payment);
	jsonb_add_id(detail, "payment_id", payment->payment_id);
	if (payment->amount < order->pay_amount)
	{
		jsonb_add_int(detail, "pay_amount_was", order->pay_amount);
		accept_less(order, payment->amount);
	}
	order_pay(journal, order, &paid_by, ACTOR_STAFF, jsonb_object_end(detail));
	if (payment->amount == order->pay_amount)
		return 0;
	return refund_request_part(journal, payment->payment_id, CAUSE_SURPLUS,
							   payment->amount - order->pay_amount, ACTOR_STAFF);
}

/* ---- refund ---- */

/*
 * Request a refund again that staff had withdrawn, for what is left; 0 if nothing is, or if the
 * pieces that it was for have gone back otherwise.
 */
static int64
revive(Journal *journal, Refund *refund)
{
	int64		left = money_left_of_payment(refund->payment_id);
	int64		amount = Min(left, refund->amount);
	AfterSale	after_sale;
	bool		is_open = false;
	bool		anew = false;

	if (refund->after_sale_id != 0)
	{
		if (!after_sale_read(refund->after_sale_id, &after_sale))
			return 0;
		is_open = after_sale_is_open(&after_sale);
		if (!is_open)
		{
			if (after_sale_has_refunds(&after_sale) || !after_sale_revive(journal, &after_sale))
				return 0;
			amount = after_sale.amount - after_sale.paid_outside;
			anew = true;
		}
	}
	if (amount <= 0)
		return 0;
	if (is_open)
		refund_set_amount(refund, amount, NULL);
	else
		refunds_forget_kept(refund);
	refund_revive(journal, refund, amount, anew);
	if (is_open)
		after_sales_follow(journal, &refund->after_sale_id, 1, ACTOR_STAFF);
	return refund->refund_id;
}

/* The cause of refunds of a capture that did not pay its order; 0 of one that did. */
static RefundCause
cause_of(const Payment *payment)
{
	switch ((PaymentPurpose) payment->purpose)
	{
		case PURPOSE_LATE:
			return CAUSE_LATE;
		case PURPOSE_SURPLUS:
			return CAUSE_SURPLUS;
		case PURPOSE_HELD:
			return CAUSE_HELD;
		case PURPOSE_UNMATCHED:
			return CAUSE_UNMATCHED;
		default:
			return 0;
	}
}

/*
 * All that is left of a capture goes back, that of one that paid its order as far as staff has
 * withdrawn its refunds: the rest of it is refund_order's. Returns the refund id; 0 if nothing is
 * left, or it was already requested.
 */
static int64
refund_payment(Journal *journal, Payment *payment)
{
	int64		refund_id = 0;
	int64		rest_id = 0;
	Refund	   *kept;
	int			n;
	int			i;

	if (payment->purpose == PURPOSE_DUPLICATE)
		payment_unset_duplicate(journal, payment);
	kept = refunds_read_kept(payment->payment_id, &n);
	if (n > 0)
		money_left_touch_payment(payment->payment_id);
	for (i = 0; i < n; i++)
	{
		int64		revived;

		/* one before it may have been for its money, too */
		if (!refund_read(kept[i].refund_id, &kept[i]) || !kept[i].kept)
			continue;
		revived = revive(journal, &kept[i]);
		if (revived != 0)
			refund_id = revived;
	}
	if (cause_of(payment) != 0)
		rest_id = refund_request_rest(journal, payment->payment_id, cause_of(payment),
									  ACTOR_STAFF);
	return rest_id != 0 ? rest_id : refund_id;
}

/* ---- duplicate ---- */

/* reason is for programs. */
static void
raise_no_duplicate(const Payment *payment, const char *reason, const char *sentence,
				   const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_OE_WRONG_STATUS),
			 errmsg("payment " INT64_FORMAT " cannot be a duplicate", payment->payment_id),
			 error_facts(sentence,
						 FACT_TEXT("reason", reason), FACT_ID("payment_id", payment->payment_id)),
			 errhint("%s", hint)));
}

/* Withdraw its refunds, or raise OE101 if money of it may have gone back. */
static void
withdraw_all(Journal *journal, const Payment *payment)
{
	int			n;
	Refund	   *refunds;
	int			i;

	if (refund_has_moved(payment->payment_id))
		raise_no_duplicate(payment, "refund",
						   "Money of it has gone back, or may have: a refund was claimed.",
						   "Compare with the gateway's statement; refunds_view shows its refunds.");
	if (dispute_is_open(payment->payment_id))
		raise_no_duplicate(payment, "dispute", "It is in dispute.",
						   "Wait for the end of the dispute: see disputes_view.");
	refunds = refunds_read_unclaimed(payment->payment_id, 0, &n);
	for (i = 0; i < n; i++)
		refund_keep(journal, &refunds[i], ACTOR_STAFF, "duplicate");
}

/* It paid its order: another capture may tell of its money. */
static const char *
hint_of_applied(const Payment *payment)
{
	int64		twin = payment_twin(payment);

	if (twin != 0 && !refund_has_moved(twin) && !dispute_is_open(twin))
		return "Decide so about the other capture, with resolve_held_payment: see payments_view.";
	return way_back_of_capture(payment);
}

static bool
mark_duplicate(Journal *journal, Payment *payment)
{
	int64		twin;

	if (payment->purpose == PURPOSE_DUPLICATE)
		return false;
	if (payment->status != PAYMENT_CAPTURED)
		raise_no_duplicate(payment, "not_captured", "It was not captured.",
						   way_back_of_capture(payment));
	if (payment->purpose == PURPOSE_APPLIED)
		raise_no_duplicate(payment, "applied", "It paid its order.", hint_of_applied(payment));
	twin = payment_twin(payment);
	if (twin == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OE_AMOUNT_DIFFERS),
				 errmsg("payment " INT64_FORMAT " is not a duplicate of another capture",
						payment->payment_id),
				 error_facts("Order {order_id} has no other capture of {amount} {currency}.",
							 FACT_ID("payment_id", payment->payment_id),
							 FACT_ID("order_id", payment->order_id),
							 FACT_INT("amount", payment->amount),
							 FACT_TEXT("currency", payment->currency)),
				 errhint("It is money of its own. %s", way_back_of_capture(payment))));
	money_left_touch_payment(payment->payment_id);
	withdraw_all(journal, payment);
	payment_set_duplicate(journal, payment, twin);
	return true;
}

/* ---- the call ---- */

static Jsonb *
resolve_detail(const Payment *payment, int64 refund_id)
{
	JsonbBuilder *detail = jsonb_object_begin();

	jsonb_add_id(detail, "payment_id", payment->payment_id);
	jsonb_add_text(detail, "purpose", code_name(CODES_PAYMENT_PURPOSE, payment->purpose));
	jsonb_add_int(detail, "amount", payment->amount);
	jsonb_add_text(detail, "currency", payment->currency);
	if (refund_id != 0)
		jsonb_add_id(detail, "refund_id", refund_id);
	return jsonb_object_end(detail);
}

/* Carry out the decision; true if it changed anything. */
static bool
decide(Journal *journal, HeldDecision decision, bool less, Payment *payment, Order *order,
	   int64 *refund_id)
{
	bool		was_duplicate = payment->purpose == PURPOSE_DUPLICATE;

	switch (decision)
	{
		case DECIDE_ACCEPT:
			if (!awaits_decision(payment))
				return false;
			*refund_id = accept_payment(journal, payment, order, less);
			return true;
		case DECIDE_REFUND:
			if (payment->status != PAYMENT_CAPTURED)
				return false;
			*refund_id = refund_payment(journal, payment);
			return *refund_id != 0 || was_duplicate;
		case DECIDE_DUPLICATE:
			return mark_duplicate(journal, payment);
	}
	return false;
}

static Datum
resolve_held_body(FunctionCallInfo fcinfo)
{
	int64		payment_id = arg_id(fcinfo, 0, "payment_id");
	HeldDecision decision = arg_word(fcinfo, 1, "decision", decision_words);
	bool		less;
	Payment		payment;
	Order		found;
	Order	   *order = NULL;
	Journal    *journal;
	CallResult	result = {.disposition = "noop"};
	int64		refund_id = 0;

	arg_not_null(fcinfo, 2, "accept_less");
	less = PG_GETARG_BOOL(2);
	payment_read_or_fail(payment_id, &payment);
	payment_lock_trade(payment.pay_type, payment.out_trade_no);
	payment_read_or_fail(payment_id, &payment);
	lock_wait(LOCK_ORDER_PAY, payment.order_id);
	lock_wait(LOCK_ORDER_CANCEL, payment.order_id);
	/* before the refund lock, as callbacks do, whose order's row may be locked by it */
	if (order_read_current(payment.order_id, &found))
		order = &found;
	lock_wait(LOCK_REFUND, payment.order_id);
	payment_read_or_fail(payment_id, &payment);
	journal = journal_begin(GetCurrentTimestamp());
	if (decide(journal, decision, less, &payment, order, &refund_id))
		result.disposition = "applied";
	journal_write(journal);
	order_result(&result, payment.order_id, order);
	result.detail = resolve_detail(&payment, refund_id);
	return call_return_result(fcinfo, &result);
}

PG_FUNCTION_INFO_V1(order_ext_resolve_held_payment);
Datum
order_ext_resolve_held_payment(PG_FUNCTION_ARGS)
{
	return api_call(fcinfo, resolve_held_body);
}

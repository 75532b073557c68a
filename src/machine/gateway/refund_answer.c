/*
 * refund_answer.c
 *		Processing the answers of gateways about refunds; see refund_answer.h.
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"

#include "core/alert.h"
#include "core/jsonb_build.h"
#include "core/spi_util.h"
#include "machine/after_sale/refunds.h"
#include "machine/archive/dropped.h"
#include "machine/base/held_fact.h"
#include "machine/gateway/money_back.h"
#include "machine/gateway/money_fact.h"
#include "machine/gateway/refund_answer.h"
#include "machine/payment/money_left.h"

const char *const refund_outcomes[] = {"succeeded", "failed", "pending", NULL};

static SavedPlan insert_event = SAVED_PLAN(
	"INSERT INTO order_ext_internal.refund_events"
	" (refund_id, amount, recorded_at, outcome, reason, gateway_refund_no, raw)"
	" VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
	INT8OID, INT8OID, TIMESTAMPTZOID, TEXTOID, TEXTOID, TEXTOID, JSONBOID);

/* ---- held facts ---- */

/* Store the fact; false if it is already stored. */
static bool
record_event(Journal *journal, int64 refund_id, const RefundAnswer *answer, const char *reason)
{
	const char *number = answer->words.gateway_refund_no;
	Datum		values[7];
	char		nulls[7] = {' ', ' ', ' ', ' ', ' ', ' ', ' '};

	values[0] = Int64GetDatum(refund_id);
	values[1] = Int64GetDatum(answer->amount);
	nulls[1] = answer->has_amount ? ' ' : 'n';
	values[2] = TimestampTzGetDatum(journal_time(journal));
	values[3] = CStringGetTextDatum(answer->words.outcome);
	values[4] = CStringGetTextDatum(reason);
	values[5] = number != NULL ? CStringGetTextDatum(number) : (Datum) 0;
	nulls[5] = number != NULL ? ' ' : 'n';
	values[6] = PointerGetDatum(answer->words.raw);
	nulls[6] = answer->words.raw != NULL ? ' ' : 'n';
	return plan_write(&insert_event, values, nulls, 0) > 0;
}

static void
fact_about(Journal *journal, JsonbBuilder *payload, int64 order_id, int64 refund_id,
		   const RefundAnswer *answer, const char *reason)
{
	HeldFact	fact = {
		.kind = FACT_REFUND_CALLBACK, .order_id = order_id, .entity_id = refund_id,
		.reason = reason
	};

	jsonb_add_id(payload, "refund_id", refund_id);
	jsonb_add_text(payload, "outcome", answer->words.outcome);
	if (answer->has_amount)
		jsonb_add_int(payload, "amount", answer->amount);
	if (answer->words.gateway_refund_no != NULL)
		jsonb_add_text(payload, "gateway_refund_no", answer->words.gateway_refund_no);
	/* without an order to file it under, under the refund */
	held_fact_record(journal, &fact, ALERT_REFUND_ANSWER_HELD, order_id != 0 ? order_id : refund_id,
					 payload);
}

static const char *
hold(Journal *journal, const Refund *refund, const RefundAnswer *answer, const char *reason,
	 const char **why)
{
	*why = reason;
	if (record_event(journal, refund->refund_id, answer, reason))
		fact_about(journal,
				   journal_payload(refund->order_id, refund->user_id, refund->order_version),
				   refund->order_id, refund->refund_id, answer, reason);
	return "held";
}

const char *
refund_answer_unknown(Journal *journal, int64 refund_id, const RefundAnswer *answer)
{
	const char *why = dropped_had_id("refund", refund_id) ? "dropped_order" : "unknown_refund";
	JsonbBuilder *payload = jsonb_object_begin();

	if (!record_event(journal, refund_id, answer, why))
		return why;
	jsonb_add_text(payload, "order_id", NULL);
	jsonb_add_text(payload, "user_id", NULL);
	jsonb_add_int(payload, "version", 0);
	fact_about(journal, payload, 0, refund_id, answer, why);
	return why;
}

/* ---- the decision ---- */

static void
fire(Journal *journal, Refund *refund, Event event, const RefundAnswer *answer)
{
	refund_fire(journal, refund, event, ACTOR_GATEWAY, &answer->words);
	after_sales_follow_refunds(journal, refund, 1, ACTOR_GATEWAY);
}

/* Whether the after-sale of the refund was rejected, closed or revoked. */
static bool
after_sale_given_up(const Refund *refund)
{
	AfterSale	after_sale;

	if (refund->after_sale_id == 0 || !after_sale_read(refund->after_sale_id, &after_sale))
		return false;
	return after_sale.status == AFTER_SALE_REJECTED ||
		after_sale.status == AFTER_SALE_CLOSED ||
		after_sale.status == AFTER_SALE_REVOKED;
}

/* A success with another gateway refund number than the first success. */
static bool
another_number(const Refund *refund, const RefundAnswer *answer)
{
	return refund->gateway_refund_no != NULL && answer->words.gateway_refund_no != NULL &&
		strcmp(refund->gateway_refund_no, answer->words.gateway_refund_no) != 0;
}

/* Under this number, the money is on record as refunded outside. */
static bool
is_recorded(const Refund *refund, const RefundAnswer *answer)
{
	return answer->words.gateway_refund_no != NULL &&
		money_fact_is_recorded(refund->pay_type, answer->words.gateway_refund_no);
}

static const char *
succeeded(Journal *journal, Refund *refund, const RefundAnswer *answer, const char **why)
{
	bool		given_up;

	switch ((RefundStatus) refund->status)
	{
		case REFUND_SUCCEEDED:
			if (another_number(refund, answer))
				return hold(journal, refund, answer, "second_refund_number", why);
			return "replayed";
		case REFUND_WITHDRAWN:
			if (is_recorded(refund, answer))
				return "noop";
			return hold(journal, refund, answer, "refunded_after_withdrawal", why);
		default:
			if (is_recorded(refund, answer))
				return hold(journal, refund, answer, "recorded_already", why);
			given_up = after_sale_given_up(refund);
			fire(journal, refund, EVENT_REFUND_SUCCEED, answer);
			if (given_up)
			{
				money_left_touch_payment(refund->payment_id);
				money_back_withdraw_excess(journal, refund->payment_id,
										   "refunded after close",
										   "a refund of a closed after-sale took its money");
				return hold(journal, refund, answer, "refunded_after_close", why);
			}
			return "applied";
	}
}

static const char *
failed(Journal *journal, Refund *refund, const RefundAnswer *answer, const char **why)
{
	switch ((RefundStatus) refund->status)
	{
		case REFUND_SUCCEEDED:
			/* It was told by others; the engine has nothing to send again. */
			if (refund->cause == CAUSE_RECORDED || refund->cause == CAUSE_DISPUTE)
				return hold(journal, refund, answer, "made_outside", why);
			fire(journal, refund, EVENT_REFUND_REVERSE, answer);
			return hold(journal, refund, answer, "refund_reversed", why);
		case REFUND_FAILED:
			return "replayed";
		case REFUND_WITHDRAWN:
			return "noop";
		default:
			fire(journal, refund, EVENT_REFUND_FAIL, answer);
			return "applied";
	}
}

const char *
refund_answer(Journal *journal, Refund *refund, const RefundAnswer *answer, const char **why)
{
	*why = NULL;
	if (answer->has_amount && answer->amount != refund->amount)
		return hold(journal, refund, answer, "refund_amount_differs", why);
	switch (answer->outcome)
	{
		case OUTCOME_SUCCEEDED:
			return succeeded(journal, refund, answer, why);
		case OUTCOME_FAILED:
			return failed(journal, refund, answer, why);
		case OUTCOME_PENDING:
			if (refund->status == REFUND_REQUESTED || refund->status == REFUND_SUBMITTED)
				refund_note(refund->refund_id, &answer->words);
			return "noop";
	}
	return "noop";
}

/*
 * extend_deadline.c
 *		extend_deadline: staff gives the buyer of an unpaid order more time to pay.
 *
 * The new deadline has a timer of its own, armed in the same transaction. The old one need not be
 * found: when it fires, it is no longer the timer of the order's deadline, and so is void (see
 * order_statuses_source()). If its message is on the way already, its handler sees the deadline.
 */
#include "compat.h"

#include "core/args.h"
#include "core/call.h"
#include "core/error_facts.h"
#include "core/errors.h"
#include "core/locks.h"
#include "core/request.h"
#include "machine/order/order.h"

typedef struct ExtendRequest
{
	int64		order_id;
	TimestampTz until;
} ExtendRequest;

pg_noreturn static void
raise_until(const char *why, TimestampTz at)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("argument \"until\" must be later than %s", why),
			 error_facts("That is {limit}.",
						 FACT_TEXT("argument", "until"), FACT_TIME("limit", at)),
			 errhint("A deadline can only be made later; cancel_order ends an order.")));
}

static void
check_until(const Order *order, TimestampTz until, TimestampTz now)
{
	if (until < order->expire_at)
		raise_until("the order's deadline", order->expire_at);
	if (until <= now)
		raise_until("now", now);
	if (until - now > 100 * INT64CONST(366) * USECS_PER_DAY)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("argument \"until\" is too far in the future"),
				 error_facts("At most 100 years are allowed.", FACT_TEXT("argument", "until")),
				 errhint("Pass an earlier time.")));
}

static void
check_is_unpaid(const Order *order)
{
	if (!machine_allows(MACHINE_ORDER, order->status, EVENT_EXTEND_DEADLINE, ACTOR_STAFF))
		ereport(ERROR,
				(errcode(ERRCODE_OE_WRONG_STATUS),
				 errmsg("order " INT64_FORMAT " is not awaiting payment", order->order_id),
				 error_facts("Its status is \"{status}\".",
							 FACT_TEXT("status", machine_status_name(MACHINE_ORDER, order->status)),
							 FACT_ID("order_id", order->order_id)),
				 errhint("allowed_actions shows what can be done with it now.")));
}

static Jsonb *
log_detail(const Order *order, TimestampTz until, const RequestKey *key)
{
	JsonbBuilder *detail = jsonb_object_begin();

	jsonb_add_timestamptz(detail, "expire_at", until);
	jsonb_add_timestamptz(detail, "was", order->expire_at);
	if (key->request_id != NULL)
		jsonb_add_text(detail, "request_id", key->request_id);
	return jsonb_object_end(detail);
}

/* The order and its timer, together. */
static void
extend(Order *order, TimestampTz until, const RequestKey *key)
{
	Journal    *journal = journal_begin(GetCurrentTimestamp());
	OrderChange change = {.expire_at = until};

	orders_fire(journal, order, 1, EVENT_EXTEND_DEADLINE, ACTOR_STAFF, &change,
				log_detail(order, until, key));
	order->expire_at = until;
	(void) timer_arm(TOPIC_ORDER_PAY_TIMEOUT, order->order_id, until, ORDER_CREATED,
					 jsonb_object_end(journal_payload(order->order_id, order->user_id,
													  order->version)));
	journal_write(journal);
}

static void
extend_once(void *arg, const RequestKey *key, CallResult *result)
{
	const ExtendRequest *request = arg;
	JsonbBuilder *detail = jsonb_object_begin();
	Order		order;

	lock_wait(LOCK_ORDER_CANCEL, request->order_id);
	order_read_or_fail(request->order_id, &order);
	check_is_unpaid(&order);
	result->disposition = "noop";
	if (request->until != order.expire_at)
	{
		check_until(&order, request->until, GetCurrentTimestamp());
		extend(&order, request->until, key);
		result->disposition = "applied";
	}
	order_result(result, order.order_id, &order);
	jsonb_add_timestamptz(detail, "expire_at", order.expire_at);
	result->detail = jsonb_object_end(detail);
}

static Datum
extend_deadline_body(FunctionCallInfo fcinfo)
{
	ExtendRequest request;

	request.order_id = arg_id(fcinfo, 0, "order_id");
	request.until = arg_timestamptz(fcinfo, 1, "until");
	return request_call(fcinfo, "extend_deadline", 2, extend_once, &request);
}

PG_FUNCTION_INFO_V1(order_ext_extend_deadline);
Datum
order_ext_extend_deadline(PG_FUNCTION_ARGS)
{
	return api_call(fcinfo, extend_deadline_body);
}

/*
 * risk.c
 *		The risk check: a function of the application that may reject an order.
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"

#include "api/risk.h"
#include "core/call.h"
#include "core/error_facts.h"
#include "core/errors.h"
#include "core/jsonb_build.h"

static SavedPlan write_check = SAVED_PLAN(
	"UPDATE order_ext_internal.instance SET risk_handler = $1, risk_role = $2,"
	" risk_owner = $3, risk_role_oid = $4, risk_owner_oid = $5",
	TEXTOID, TEXTOID, TEXTOID, OIDOID, OIDOID);

const GuestKind risk_kind = {
	.what = "risk check",
	.setter = "set_risk_check",
	.answer = "text",
	.answer_type = TEXTOID,
	.handler_column = 3,
	.role_column = 4,
	.write = &write_check
};

/* The request as passed to the check. */
static Jsonb *
risk_request(int64 user_id, Jsonb *items, int64 pay_amount, int64 coupon_id, Jsonb *options)
{
	JsonbBuilder *request = jsonb_object_begin();

	jsonb_add_id(request, "user_id", user_id);
	jsonb_add_jsonb(request, "items", items);
	jsonb_add_int(request, "pay_amount", pay_amount);
	if (coupon_id != 0)
		jsonb_add_id(request, "coupon_id", coupon_id);
	else
		jsonb_add_text(request, "coupon_id", NULL);
	jsonb_add_jsonb(request, "options", options);
	return jsonb_object_end(request);
}

/* Its answer, or NULL. What it raises passes through as it is. */
static char *
ask(const GuestFunction *check, Jsonb *request)
{
	Datum		answer = (Datum) 0;
	bool		answered = false;
	bool		took_too_long;

	PG_TRY();
	{
		answered = guest_function_call(check, request, &answer, &took_too_long);
	}
	PG_CATCH();
	{
		call_keep_error();
		PG_RE_THROW();
	}
	PG_END_TRY();
	return answered ? TextDatumGetCString(answer) : NULL;
}

void
risk_check(const GuestFunction *check, int64 user_id, Jsonb *items, int64 pay_amount,
		   int64 coupon_id, Jsonb *options)
{
	char	   *reason;

	if (check->handler == NULL)
		return;
	reason = ask(check, risk_request(user_id, items, pay_amount, coupon_id, options));
	if (reason != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OE_RISK_REFUSED),
				 errmsg("order was rejected by the risk check"),
				 error_facts("{reason}", FACT_TEXT("reason", reason)),
				 errhint("The function set by set_risk_check makes this decision.")));
}

static Datum
set_risk_check_body(FunctionCallInfo fcinfo)
{
	return guest_function_set(fcinfo, &risk_kind);
}

PG_FUNCTION_INFO_V1(order_ext_set_risk_check);
Datum
order_ext_set_risk_check(PG_FUNCTION_ARGS)
{
	return api_call(fcinfo, set_risk_check_body);
}

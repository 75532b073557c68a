/*
 * price_hook.c
 *		The price hook; see price_hook.h.
 *
 * What it answers is checked as what it is, the word of somebody else's code: a price for every
 * line, and nothing besides.
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "common/int.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

#include "api/price_hook.h"
#include "core/call.h"
#include "core/error_facts.h"
#include "core/errors.h"
#include "core/jsonb_build.h"
#include "core/settings.h"
#include "machine/base/codes.h"

/* What it says is shown up to here. */
#define MAX_SHOWN_BYTES 1000

static SavedPlan write_hook = SAVED_PLAN(
	"UPDATE order_ext_internal.instance SET price_handler = $1, price_role = $2,"
	" price_owner = $3, price_role_oid = $4, price_owner_oid = $5",
	TEXTOID, TEXTOID, TEXTOID, OIDOID, OIDOID);

const GuestKind price_hook_kind = {
	.what = "price hook",
	.setter = "set_price",
	.answer = "jsonb",
	.answer_type = JSONBOID,
	.handler_column = 9,
	.role_column = 10,
	.write = &write_hook
};

pg_noreturn static void
refuse(const char *reason)
{
	char	   *shown = pnstrdup(reason, pg_mbcliplen(reason, strlen(reason), MAX_SHOWN_BYTES));

	ereport(ERROR,
			(errcode(ERRCODE_OE_PRICE_REFUSED),
			 errmsg("the price hook did not price the order"),
			 error_facts("{reason}", FACT_TEXT("reason", shown)),
			 errhint("The function set by set_price decides about prices; set_price(NULL) "
					 "removes it.")));
}

/* ---- asking ---- */

static Jsonb *
request_lines(const Cart *cart)
{
	JsonbBuilder *lines = jsonb_array_begin();
	int			i;

	for (i = 0; i < cart->n; i++)
	{
		const OrderLine *line = &cart->lines[i];
		JsonbBuilder *object = jsonb_object_begin();

		jsonb_add_int(object, "line", line->line);
		jsonb_add_text(object, "sku", line->sku);
		jsonb_add_text(object, "kind", code_name(CODES_PRODUCT_KIND, line->kind));
		jsonb_add_int(object, "quantity", line->quantity);
		jsonb_add_int(object, "price", line->price);
		if (line->attributes != NULL)
			jsonb_add_jsonb(object, "attributes", line->attributes);
		jsonb_array_add(lines, object);
	}
	return jsonb_array_end(lines);
}

static Jsonb *
price_request(const Cart *cart, int64 user_id, int64 coupon_id)
{
	JsonbBuilder *request = jsonb_object_begin();

	jsonb_add_id(request, "user_id", user_id);
	jsonb_add_text(request, "currency", cart->options.currency);
	if (coupon_id != 0)
		jsonb_add_id(request, "coupon_id", coupon_id);
	else
		jsonb_add_text(request, "coupon_id", NULL);
	jsonb_add_jsonb(request, "options", cart->options.all);
	jsonb_add_jsonb(request, "lines", request_lines(cart));
	return jsonb_object_end(request);
}

/* Errors that are not about the price: the caller has to try again, or has canceled. */
static bool
passes_through(int sqlerrcode)
{
	return sqlerrcode == ERRCODE_T_R_SERIALIZATION_FAILURE ||
		sqlerrcode == ERRCODE_T_R_DEADLOCK_DETECTED ||
		sqlerrcode == ERRCODE_QUERY_CANCELED ||
		sqlerrcode == ERRCODE_READ_ONLY_SQL_TRANSACTION;
}

static char *
too_long(void)
{
	return psprintf("It took longer than order_ext.handler_timeout (%d ms).",
					setting_handler_timeout);
}

/* Its answer, checked to be an object. What it raises is a reason. */
static Jsonb *
ask(const GuestFunction *hook, Jsonb *request)
{
	MemoryContext context = CurrentMemoryContext;
	Datum		answer = (Datum) 0;
	bool		answered = false;
	bool		took_too_long = false;

	PG_TRY();
	{
		answered = guest_function_call(hook, request, &answer, &took_too_long);
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		if (!took_too_long && passes_through(error->sqlerrcode))
			PG_RE_THROW();
		FlushErrorState();
		refuse(took_too_long ? too_long() :
			   psprintf("%s: %s%s%s", unpack_sql_state(error->sqlerrcode), error->message,
						error->detail != NULL ? ": " : "",
						error->detail != NULL ? error->detail : ""));
	}
	PG_END_TRY();
	if (took_too_long)
		refuse(too_long());
	if (!answered)
		refuse("Its answer is null.");
	return DatumGetJsonbP(answer);
}

/* ---- reading the answer ---- */

static bool
key_is(const JsonbValue *key, const char *name)
{
	return key->val.string.len == (int) strlen(name) &&
		memcmp(key->val.string.val, name, key->val.string.len) == 0;
}

/* Refuse keys other than these; where they are, for the message. */
static void
check_keys(JsonbContainer *object, const char *const *known, const char *where)
{
	JsonbIterator *it = JsonbIteratorInit(object);
	JsonbIteratorToken token;
	JsonbValue	key;

	while ((token = JsonbIteratorNext(&it, &key, true)) != WJB_DONE)
	{
		const char *const *name = known;

		if (token != WJB_KEY)
			continue;
		while (*name != NULL && !key_is(&key, *name))
			name++;
		if (*name == NULL)
			refuse(psprintf("Its answer has an unknown key \"%s\" %s.",
							pnstrdup(key.val.string.val, key.val.string.len), where));
	}
}

/* A whole number that is not negative; of which line: as far as it is known. */
static int64
whole_number(JsonbContainer *object, const char *key, const char *of_line, int64 if_absent)
{
	JsonbValue	buffer;
	JsonbValue *value = getKeyJsonValueFromContainer(object, key, strlen(key), &buffer);
	Datum		number;

	if (value == NULL && if_absent >= 0)
		return if_absent;
	if (value == NULL)
		refuse(psprintf("Its answer has no \"%s\" for %s.", key, of_line));
	if (value->type != jbvNumeric)
		refuse(psprintf("Its answer has a \"%s\" for %s that is not a number.", key, of_line));
	number = NumericGetDatum(value->val.numeric);
	if (!DatumGetBool(DirectFunctionCall2(numeric_eq, number,
										  DirectFunctionCall2(numeric_trunc, number,
															  Int32GetDatum(0)))))
		refuse(psprintf("Its answer has a \"%s\" for %s that is not a whole number.", key,
						of_line));
	if (DatumGetBool(DirectFunctionCall2(numeric_lt, number,
										 NumericGetDatum(int64_to_numeric(0)))))
		refuse(psprintf("Its answer has a negative \"%s\" for %s.", key, of_line));
	if (DatumGetBool(DirectFunctionCall2(numeric_gt, number,
										 NumericGetDatum(int64_to_numeric(PG_INT64_MAX)))))
		refuse(psprintf("Its answer has a \"%s\" for %s that is too large.", key, of_line));
	return DatumGetInt64(DirectFunctionCall1(numeric_int8, number));
}

static JsonbContainer *
answer_lines(Jsonb *answer)
{
	static const char *const keys[] = {"lines", NULL};
	JsonbValue	buffer;
	JsonbValue *lines;

	if (!JB_ROOT_IS_OBJECT(answer))
		refuse("Its answer is not an object.");
	check_keys(&answer->root, keys, "beside \"lines\"");
	lines = getKeyJsonValueFromContainer(&answer->root, "lines", strlen("lines"), &buffer);
	if (lines == NULL || lines->type != jbvBinary ||
		!JsonContainerIsArray(lines->val.binary.data) ||
		JsonContainerIsScalar(lines->val.binary.data))
		refuse("Its answer has no array \"lines\".");
	return lines->val.binary.data;
}

/* Price the line that the object is about. */
static void
price_line(Cart *cart, const JsonbValue *value, bool *priced)
{
	static const char *const keys[] = {"line", "price", "discount", NULL};
	JsonbContainer *object;
	const char *of_line;
	OrderLine  *line;
	int64		number;
	int64		amount;

	if (value->type != jbvBinary || !JsonContainerIsObject(value->val.binary.data))
		refuse("Its answer has an element of \"lines\" that is not an object.");
	object = value->val.binary.data;
	check_keys(object, keys, "in an element of \"lines\"");
	number = whole_number(object, "line", "an element of \"lines\"", -1);
	if (number < 1 || number > cart->n)
		refuse(psprintf("Its answer has a line " INT64_FORMAT ", which the order does not have.",
						number));
	if (priced[number - 1])
		refuse(psprintf("Its answer has line " INT64_FORMAT " twice.", number));
	priced[number - 1] = true;
	of_line = psprintf("line " INT64_FORMAT, number);
	line = &cart->lines[number - 1];
	line->price = whole_number(object, "price", of_line, -1);
	line->discount = whole_number(object, "discount", of_line, 0);
	if (pg_mul_s64_overflow(line->price, line->quantity, &amount))
		refuse(psprintf("Its answer has a \"price\" for %s that is too large.", of_line));
	if (line->discount > amount)
		refuse(psprintf("Its answer has a \"discount\" for %s of " INT64_FORMAT
						", more than the line costs, which is " INT64_FORMAT ".",
						of_line, line->discount, amount));
	line->pay = amount - line->discount;
}

static void
take_answer(Cart *cart, Jsonb *answer)
{
	JsonbContainer *lines = answer_lines(answer);
	bool	   *priced = palloc0(sizeof(bool) * cart->n);
	int			n = JsonContainerSize(lines);
	int			i;

	for (i = 0; i < n; i++)
		price_line(cart, getIthJsonbValueFromContainer(lines, i), priced);
	cart->origin = cart->discount = 0;
	for (i = 0; i < cart->n; i++)
	{
		const OrderLine *line = &cart->lines[i];

		if (!priced[i])
			refuse(psprintf("Its answer has no line %d.", i + 1));
		if (pg_add_s64_overflow(cart->origin, line->pay + line->discount, &cart->origin))
			refuse("Its answer adds up to an amount that is too large.");
		cart->discount += line->discount;
	}
}

void
price_hook_apply(const GuestFunction *hook, Cart *cart, int64 user_id, int64 coupon_id)
{
	if (hook->handler != NULL)
		take_answer(cart, ask(hook, price_request(cart, user_id, coupon_id)));
}

/* ---- set_price ---- */

static Datum
set_price_body(FunctionCallInfo fcinfo)
{
	return guest_function_set(fcinfo, &price_hook_kind);
}

PG_FUNCTION_INFO_V1(order_ext_set_price);
Datum
order_ext_set_price(PG_FUNCTION_ARGS)
{
	return api_call(fcinfo, set_price_body);
}

/*
 * set_pay_type.c
 *		set_pay_type: what becomes of money that a pay type captures too often.
 */
#include "compat.h"

#include "fmgr.h"

#include "api/member.h"
#include "core/arg_codes.h"
#include "core/args.h"
#include "core/call.h"
#include "core/error_facts.h"
#include "core/interval.h"
#include "core/settings.h"
#include "machine/payment/pay_type.h"
#include "machine/payment/payment.h"

#define MAX_DELAY_DAYS 366

static const char *const known_keys[] = {"surplus", "surplus_delay", NULL};

static void
read_surplus(JsonbContainer *options, PayType *pay_type)
{
	char	   *word = member_text(options, "surplus", "options", 32);

	if (word == NULL)
		return;
	pay_type->hold_surplus = strcmp(word, "hold") == 0;
	if (!pay_type->hold_surplus && strcmp(word, "refund") != 0)
		member_raise_malformed("options", "\"surplus\" is neither \"refund\" nor \"hold\"");
}

static void
read_delay(JsonbContainer *options, PayType *pay_type)
{
	char	   *text = member_text(options, "surplus_delay", "options", 64);
	double		usecs;

	if (text == NULL)
		return;
	if (!interval_read(text, &usecs) || usecs < 0)
		member_raise_malformed("options", "\"surplus_delay\" is no interval, or negative");
	if (usecs > (double) MAX_DELAY_DAYS * USECS_PER_DAY)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("argument \"options\" contains a \"surplus_delay\" that is too long"),
				 error_facts("At most {max_days} days are allowed.",
							 FACT_TEXT("argument", "options"), FACT_TEXT("key", "surplus_delay"),
							 FACT_INT("max_days", MAX_DELAY_DAYS)),
				 errhint("Pass a shorter interval.")));
	pay_type->surplus_delay = (int64) usecs;
}

static Datum
set_pay_type_body(FunctionCallInfo fcinfo)
{
	char	   *name = arg_codes_lower(fcinfo, 0, "pay_type", MAX_PAY_TYPE_CHARS);
	Jsonb	   *options = arg_jsonb(fcinfo, 1, "options", setting_max_payload);
	PayType		pay_type;

	if (!JB_ROOT_IS_OBJECT(options))
		member_raise_malformed("options", "it is not an object");
	member_check_keys(&options->root, known_keys, "options");
	pay_type_read(name, &pay_type);
	read_surplus(&options->root, &pay_type);
	read_delay(&options->root, &pay_type);
	pay_type_write(name, &pay_type);
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(order_ext_set_pay_type);
Datum
order_ext_set_pay_type(PG_FUNCTION_ARGS)
{
	(void) api_call(fcinfo, set_pay_type_body);
	PG_RETURN_VOID();
}

/*
 * resolve_fact.c
 *		resolve_fact: staff says what was done about a held fact.
 */
#include "compat.h"

#include "core/args.h"
#include "core/call.h"
#include "machine/base/held_fact.h"

static Datum
resolve_fact_body(FunctionCallInfo fcinfo)
{
	int64		fact_id = arg_id(fcinfo, 0, "fact_id");
	char	   *note = arg_text(fcinfo, 1, "note", MAX_REASON_CHARS);
	CallResult	result = {.id = fact_id};

	result.disposition = "noop";
	if (held_fact_resolve(fact_id, note, GetCurrentTimestamp()))
		result.disposition = "applied";
	return call_return_result(fcinfo, &result);
}

PG_FUNCTION_INFO_V1(order_ext_resolve_fact);
Datum
order_ext_resolve_fact(PG_FUNCTION_ARGS)
{
	return api_call(fcinfo, resolve_fact_body);
}

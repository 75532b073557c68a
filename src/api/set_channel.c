/*
 * set_channel.c
 *		set_channel: which sales channels ship from an external warehouse.
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"

#include "core/arg_codes.h"
#include "core/args.h"
#include "core/call.h"
#include "core/spelling.h"
#include "core/spi_util.h"

#define MAX_CHANNEL_CHARS 128

/*
 * Fulfillments keep the value from when they were created. Other spellings, from before version
 * 0.6, go.
 */
static SavedPlan put_channel = SAVED_PLAN(
	"WITH gone AS (DELETE FROM order_ext_internal.channels"
	"  WHERE " SPELLING_CODE_SQL("channel") " = $1 AND channel <> $1)"
	" INSERT INTO order_ext_internal.channels (channel, external) VALUES ($1, $2)"
	" ON CONFLICT (channel) DO UPDATE SET external = EXCLUDED.external,"
	"  updated_at = pg_catalog.clock_timestamp()",
	TEXTOID, BOOLOID);

static Datum
set_channel_body(FunctionCallInfo fcinfo)
{
	Datum		values[2];

	values[0] = CStringGetTextDatum(arg_codes_lower(fcinfo, 0, "channel", MAX_CHANNEL_CHARS));
	arg_not_null(fcinfo, 1, "external");
	values[1] = BoolGetDatum(PG_GETARG_BOOL(1));
	(void) plan_write(&put_channel, values, NULL, 0);
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(order_ext_set_channel);
Datum
order_ext_set_channel(PG_FUNCTION_ARGS)
{
	return api_call(fcinfo, set_channel_body);
}

/*
 * freight.c
 *		put_freight and remove_freight, and the freight of an order; see freight.h.
 *
 * Regions are compared in lower case. Those from before version 0.6 that are then the same have
 * kept their spellings: of these, an order takes the one that it names exactly, or the dearest.
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"

#include "api/freight.h"
#include "core/arg_codes.h"
#include "core/args.h"
#include "core/call.h"
#include "core/errors.h"
#include "core/spelling.h"
#include "core/spi_util.h"

/* $1 region, $2 currency; other spellings of the region go. */
#define FORGET_SPELLINGS \
	"DELETE FROM order_ext_internal.freight_templates" \
	" WHERE " SPELLING_CODE_SQL("region") " = $1 AND currency = $2"

static SavedPlan put_template = SAVED_PLAN(
	"WITH gone AS (" FORGET_SPELLINGS " AND region <> $1)"
	" INSERT INTO order_ext_internal.freight_templates (region, fee, free_from, currency)"
	" VALUES ($1, $3, $4, $2)"
	" ON CONFLICT (region, currency) DO UPDATE SET fee = excluded.fee,"
	"  free_from = excluded.free_from",
	TEXTOID, TEXTOID, INT8OID, INT8OID);

static SavedPlan remove_template = SAVED_PLAN(FORGET_SPELLINGS, TEXTOID, TEXTOID);

/* The region's own templates, in the currency first, then those of every other region. */
static SavedPlan find_templates = SAVED_PLAN(
	"SELECT fee, free_from, currency = $2, region = '" FREIGHT_ANYWHERE "'"
	" FROM order_ext_internal.freight_templates"
	" WHERE " SPELLING_CODE_SQL("region") " IN ($1, '" FREIGHT_ANYWHERE "')"
	" ORDER BY region = '" FREIGHT_ANYWHERE "', currency <> $2, region <> $3, region <> $1,"
	"  fee DESC",
	TEXTOID, TEXTOID, TEXTOID);

static SavedPlan any_template = SAVED_PLAN_NO_ARGS(
	"SELECT FROM order_ext_internal.freight_templates LIMIT 1");

/* ---- the calls ---- */

static Datum
put_freight_body(FunctionCallInfo fcinfo)
{
	Datum		values[4];
	char		nulls[4] = {' ', ' ', ' ', ' '};

	values[0] = CStringGetTextDatum(arg_codes_lower(fcinfo, 0, "region", MAX_REGION_CHARS));
	values[1] = CStringGetTextDatum(arg_codes_currency(fcinfo, 3, "currency"));
	values[2] = Int64GetDatum(arg_amount(fcinfo, 1, "fee"));
	if (PG_ARGISNULL(2))
		nulls[3] = 'n';
	else
		values[3] = Int64GetDatum(arg_amount(fcinfo, 2, "free_from"));
	(void) plan_write(&put_template, values, nulls, 0);
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(order_ext_put_freight);
Datum
order_ext_put_freight(PG_FUNCTION_ARGS)
{
	return api_call(fcinfo, put_freight_body);
}

static Datum
remove_freight_body(FunctionCallInfo fcinfo)
{
	Datum		values[2];

	values[0] = CStringGetTextDatum(arg_codes_lower(fcinfo, 0, "region", MAX_REGION_CHARS));
	values[1] = CStringGetTextDatum(arg_codes_currency(fcinfo, 1, "currency"));
	PG_RETURN_BOOL(plan_write(&remove_template, values, NULL, 0) > 0);
}

PG_FUNCTION_INFO_V1(order_ext_remove_freight);
Datum
order_ext_remove_freight(PG_FUNCTION_ARGS)
{
	return api_call(fcinfo, remove_freight_body);
}

/* ---- the freight of an order ---- */

static void
raise_no_freight(const char *region, const char *currency)
{
	ereport(ERROR,
			(errcode(ERRCODE_OE_NO_FREIGHT),
			 errmsg("no freight is known for region \"%s\"", region),
			 errdetail("It has no freight template, and there is none in %s for every other "
					   "region.", currency),
			 errhint("Correct options.region, or add a template with put_freight: for this "
					 "region, or for \"" FREIGHT_ANYWHERE "\", which is every other region.")));
}

int64
freight_of(const char *region, const char *currency, int64 origin)
{
	const char *code = region != NULL ? spelling_code(region) : FREIGHT_ANYWHERE;
	Datum		values[3] = {CStringGetTextDatum(code), CStringGetTextDatum(currency),
	CStringGetTextDatum(region != NULL ? region : code)};
	int			n = (int) plan_query(&find_templates, values, NULL, 0);
	bool		has_own = region == NULL;
	int			i;

	for (i = 0; i < n; i++)
	{
		if (row_bool(i, 3))
			return row_is_null(i, 2) || origin < row_int64(i, 2) ? row_int64(i, 1) : 0;
		has_own |= !row_bool(i, 4);
	}
	if (!has_own && plan_query(&any_template, NULL, NULL, 1) > 0)
		raise_no_freight(code, currency);
	return 0;
}

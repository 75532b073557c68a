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
#include "core/error_facts.h"
#include "core/errors.h"
#include "core/row.h"
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

/* Columns of templates. */
enum
{
	TEMPLATES_REGION,
	TEMPLATES_FEE,
	TEMPLATES_FREE_FROM,
	TEMPLATES_CURRENCY
};

/* By the region as it is compared. */
static RowTable templates = ROW_TABLE(
	"freight_templates", "freight_templates_code",
	"region", "fee", "free_from", "currency");

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
			 error_facts("It has no freight template, and there is none in {currency} for every "
						 "other region.",
						 FACT_TEXT("region", region), FACT_TEXT("currency", currency)),
			 errhint("Correct options.region, or add a template with put_freight: for this "
					 "region, or for \"" FREIGHT_ANYWHERE "\", which is every other region.")));
}

/* Whether an order that names a region takes the first of two templates rather than the second. */
static bool
comes_first(const Row *row, const Row *other, const char *named, const char *code)
{
	const char *region = row_get_text(row, TEMPLATES_REGION);
	const char *other_region = row_get_text(other, TEMPLATES_REGION);
	bool		is_named = strcmp(region, named) == 0;
	bool		is_code = strcmp(region, code) == 0;

	if (is_named != (strcmp(other_region, named) == 0))
		return is_named;
	if (is_code != (strcmp(other_region, code) == 0))
		return is_code;
	return row_get_int64(row, TEMPLATES_FEE) > row_get_int64(other, TEMPLATES_FEE);
}

/* The template of a region in a currency; *any: it has one, be it in another. */
static bool
find_template(Rows *rows, const char *code, const char *named, const char *currency, Row *best,
			  bool *any)
{
	Datum		key = CStringGetTextDatum(code);
	bool		has_best = false;
	bool		found;
	Row			row;

	*any = false;
	for (found = rows_find(rows, &key, 1, &row); found; found = rows_next(rows, &row))
	{
		*any = true;
		if (strcmp(row_get_text(&row, TEMPLATES_CURRENCY), currency) != 0 ||
			(has_best && !comes_first(&row, best, named, code)))
			continue;
		*best = row;
		has_best = true;
	}
	return has_best;
}

static int64
fee_of(const Row *row, int64 origin)
{
	bool		is_free = !row->nulls[TEMPLATES_FREE_FROM] &&
	origin >= row_get_int64(row, TEMPLATES_FREE_FROM);

	return is_free ? 0 : row_get_int64(row, TEMPLATES_FEE);
}

int64
freight_of(const char *region, const char *currency, int64 origin)
{
	const char *code = region != NULL ? spelling_code(region) : FREIGHT_ANYWHERE;
	Rows	   *rows = rows_open(&templates, ROWS_READ);
	bool		has_own;
	bool		any;
	bool		found;
	Row			row;

	found = find_template(rows, code, region != NULL ? region : code, currency, &row, &has_own);
	if (!found && region != NULL)
		found = find_template(rows, FREIGHT_ANYWHERE, FREIGHT_ANYWHERE, currency, &row, &any);
	rows_close(rows);
	if (found)
		return fee_of(&row, origin);
	has_own &= strcmp(code, FREIGHT_ANYWHERE) != 0;
	if (region != NULL && !has_own && row_find(&templates, NULL, 0, &row))
		raise_no_freight(code, currency);
	return 0;
}

/*
 * product.c
 *		Products as callers name them; see product.h.
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"

#include "api/product.h"
#include "core/error_facts.h"
#include "core/errors.h"
#include "core/spi_util.h"

static SavedPlan find_product = SAVED_PLAN(
	"SELECT product_id FROM order_ext_internal.products WHERE sku = $1",
	TEXTOID);

int64
product_id_of_sku(const char *sku)
{
	Datum		values[1] = {CStringGetTextDatum(sku)};

	if (plan_query(&find_product, values, NULL, 1) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OE_NOT_FOUND),
				 errmsg("product \"%s\" does not exist", sku),
				 error_facts("No product in this database has that SKU.", FACT_TEXT("sku", sku)),
				 errhint("Add products with put_product.")));
	return row_int64(0, 1);
}

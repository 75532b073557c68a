/*
 * erase_buyer.c
 *		erase_buyer: what is personal about a buyer goes, the books stay; see docs/archive.md.
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "fmgr.h"

#include "core/args.h"
#include "core/call.h"
#include "core/locks.h"
#include "core/spi_util.h"

static SavedPlan erase = SAVED_PLAN_BY_BITMAP(
	"SELECT * FROM order_ext_internal.erase_rows($1)",
	INT8OID);

static Datum
erase_buyer_body(FunctionCallInfo fcinfo)
{
	Datum		user_id = Int64GetDatum(arg_id(fcinfo, 0, "user_id"));
	Datum		values[5];
	bool		nulls[5] = {false};
	int			i;

	/* nobody copies what is being erased, or drops it */
	lock_wait(LOCK_ARCHIVE, 0);
	(void) plan_write(&erase, &user_id, NULL, 1);
	for (i = 0; i < (int) lengthof(values); i++)
		values[i] = Int64GetDatum(row_int64(0, i + 1));
	return call_return_row(fcinfo, values, nulls);
}

PG_FUNCTION_INFO_V1(order_ext_erase_buyer);
Datum
order_ext_erase_buyer(PG_FUNCTION_ARGS)
{
	return api_call(fcinfo, erase_buyer_body);
}

/*
 * dropped.c
 *		Archived orders whose documents were dropped; see dropped.h.
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"

#include "core/spi_util.h"
#include "machine/archive/dropped.h"
#include "machine/archive/recall.h"

static SavedPlan find_order = SAVED_PLAN(
	"SELECT status, version, dropped_at FROM order_ext_archive.dropped WHERE order_id = $1",
	INT8OID);

static SavedPlan find_key = SAVED_PLAN(
	"SELECT FROM order_ext_archive.keys k"
	" JOIN order_ext_archive.dropped d ON d.order_id = k.order_id"
	" WHERE k.key = order_ext_internal.archive_key($1, $2)",
	TEXTOID, TEXTOID);

bool
dropped_read(int64 order_id, DroppedOrder *order)
{
	Datum		values[1] = {Int64GetDatum(order_id)};

	if (recall_look_now(&find_order, values) == 0)
		return false;
	order->status = row_int16(0, 1);
	order->version = row_int32(0, 2);
	order->dropped_at = row_timestamptz(0, 3);
	return true;
}

bool
dropped_had_number(const char *kind, const char *number)
{
	Datum		values[2] = {CStringGetTextDatum(kind), CStringGetTextDatum(number)};

	return recall_look_now(&find_key, values) > 0;
}

bool
dropped_had_id(const char *kind, int64 id)
{
	return dropped_had_number(kind, psprintf(INT64_FORMAT, id));
}

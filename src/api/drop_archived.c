/*
 * drop_archived.c
 *		drop_archived and restore_archived: documents of archived orders leave the database, and
 *		come back. See docs/archive.md.
 *
 * A document is dropped against its digest, which nobody has who has not read this very document;
 * so what is dropped was exported, whoever exports, how often, and however it was changed since.
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "core/args.h"
#include "core/call.h"
#include "core/error_facts.h"
#include "core/errors.h"
#include "core/locks.h"
#include "core/settings.h"
#include "core/spi_util.h"
#include "machine/archive/dropped.h"
#include "machine/archive/recall.h"
#include "machine/order/order.h"

/* A document holds a line for whatever has happened to an order. */
#define MAX_DOCUMENT_BYTES (128 * 1024 * 1024)

static SavedPlan drop = SAVED_PLAN(
	"SELECT * FROM order_ext_internal.drop_documents($1, $2, $3)",
	INT8ARRAYOID, TEXTARRAYOID, TIMESTAMPTZOID);

static SavedPlan restore = SAVED_PLAN(
	"SELECT order_ext_internal.restore_document($1, $2)",
	INT8OID, JSONBOID);

static TimestampTz
droppable_before(void)
{
	if (setting_archive_retention < 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("archived orders are kept forever"),
				 error_facts("order_ext.archive_retention is -1.",
							 FACT_TEXT("reason", "order_ext.archive_retention is -1.")),
				 errhint("Set order_ext.archive_retention to how long settled orders must stay.")));
	return GetCurrentTimestamp() - (int64) setting_archive_retention * USECS_PER_SEC;
}

PG_FUNCTION_INFO_V1(order_ext_droppable_before);
Datum
order_ext_droppable_before(PG_FUNCTION_ARGS)
{
	PG_RETURN_TIMESTAMPTZ(droppable_before());
}

/* ---- drop_archived ---- */

static Datum
drop_archived_body(FunctionCallInfo fcinfo)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Datum		values[3];
	uint64		n;
	uint64		i;

	arg_not_null(fcinfo, 0, "order_ids");
	arg_not_null(fcinfo, 1, "digests");
	values[0] = PG_GETARG_DATUM(0);
	values[1] = PG_GETARG_DATUM(1);
	values[2] = TimestampTzGetDatum(droppable_before());
	/* nobody erases in them, or brings them in or out */
	lock_wait(LOCK_ARCHIVE, 0);
	n = plan_write(&drop, values, NULL, 0);
	for (i = 0; i < n; i++)
	{
		Datum		row[2] = {Int64GetDatum(row_int64(i, 1)),
		CStringGetTextDatum(row_text(i, 2))};
		bool		nulls[2] = {false};

		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, row, nulls);
	}
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(order_ext_drop_archived);
Datum
order_ext_drop_archived(PG_FUNCTION_ARGS)
{
	InitMaterializedSRF(fcinfo, 0);
	return api_call(fcinfo, drop_archived_body);
}

/* ---- restore_archived ---- */

static Datum
restore_archived_body(FunctionCallInfo fcinfo)
{
	int64		order_id = arg_id(fcinfo, 0, "order_id");
	Datum		values[2];
	CallResult	result = {0};
	DroppedOrder dropped;
	Order		order;

	values[0] = Int64GetDatum(order_id);
	values[1] = JsonbPGetDatum(arg_jsonb(fcinfo, 1, "document", MAX_DOCUMENT_BYTES));
	lock_wait(LOCK_ARCHIVE, 0);
	if (!dropped_read(order_id, &dropped))
	{
		if (!recall_is_archived(order_id))
			order_read_or_fail(order_id, &order);
		result.disposition = "noop";
		result.id = order_id;
		return call_return_result(fcinfo, &result);
	}
	order_result(&result, order_id, NULL);
	(void) plan_write(&restore, values, NULL, 1);
	if (row_is_null(0, 1))
		error_conflict("an order was restored by another transaction");
	if (!row_bool(0, 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"document\" is not the document of order " INT64_FORMAT
						" that was dropped", order_id),
				 error_facts("Its digest differs.", FACT_TEXT("argument", "document"),
							 FACT_ID("order_id", order_id)),
				 errhint("The view archived_orders has the digest.")));
	result.disposition = "applied";
	return call_return_result(fcinfo, &result);
}

PG_FUNCTION_INFO_V1(order_ext_restore_archived);
Datum
order_ext_restore_archived(PG_FUNCTION_ARGS)
{
	return api_call(fcinfo, restore_archived_body);
}

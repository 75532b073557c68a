/*
 * restore.c
 *		Rows that come from another database, by a dump or by logical replication.
 */
#include "compat.h"

#include "access/htup_details.h"
#include "access/transam.h"
#include "access/xact.h"
#include "commands/trigger.h"
#include "fmgr.h"
#include "utils/rel.h"
#include "utils/xid8.h"

#include "core/spi_util.h"

static SavedPlan drop_instance = SAVED_PLAN_NO_ARGS("DELETE FROM order_ext_internal.instance");

static TriggerData *
called_as_trigger(FunctionCallInfo fcinfo, const char *function)
{
	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" was not called by trigger manager", function)));
	return (TriggerData *) fcinfo->context;
}

/*
 * BEFORE INSERT row trigger on instance: the new row replaces the existing one. A dump contains
 * its own row, so that order ids continue under its secret and the risk check stays set.
 */
PG_FUNCTION_INFO_V1(order_ext_replace_instance);
Datum
order_ext_replace_instance(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = called_as_trigger(fcinfo, "order_ext_replace_instance");

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "could not connect to SPI");
	(void) plan_write(&drop_instance, NULL, NULL, 0);
	SPI_finish();
	return PointerGetDatum(trigger->tg_trigtuple);
}

/*
 * BEFORE INSERT row trigger on stock_ledger: the transaction ids of another cluster mean nothing
 * here. The engine's own inserts set it themselves; most of them fire no triggers.
 */
PG_FUNCTION_INFO_V1(order_ext_stamp_ledger);
Datum
order_ext_stamp_ledger(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = called_as_trigger(fcinfo, "order_ext_stamp_ledger");
	TupleDesc	desc = RelationGetDescr(trigger->tg_relation);
	int			column = SPI_fnumber(desc, "xid");
	Datum		xid = FullTransactionIdGetDatum(GetTopFullTransactionId());
	bool		isnull = false;

	/* rows of the archive come back with ids of this cluster */
	if (plan_is_writing())
		return PointerGetDatum(trigger->tg_trigtuple);
	return PointerGetDatum(heap_modify_tuple_by_cols(trigger->tg_trigtuple, desc, 1, &column,
													 &xid, &isnull));
}

/* BEFORE INSERT row trigger: the row is not inserted. The engine's own rows are. */
PG_FUNCTION_INFO_V1(order_ext_skip_row);
Datum
order_ext_skip_row(PG_FUNCTION_ARGS)
{
	(void) called_as_trigger(fcinfo, "order_ext_skip_row");
	return PointerGetDatum(NULL);
}

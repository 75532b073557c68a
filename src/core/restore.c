/*
 * restore.c
 *		Restoring a dump over what CREATE EXTENSION has just made.
 */
#include "compat.h"

#include "commands/trigger.h"
#include "fmgr.h"

#include "core/spi_util.h"

static SavedPlan drop_instance = SAVED_PLAN_NO_ARGS("DELETE FROM order_ext_internal.instance");

/*
 * BEFORE INSERT row trigger on instance: the new row replaces the existing one. A dump contains
 * its own row, so that order ids continue under its secret and the risk check stays set.
 */
PG_FUNCTION_INFO_V1(order_ext_replace_instance);
Datum
order_ext_replace_instance(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"order_ext_replace_instance\" was not called by trigger "
						"manager")));
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "could not connect to SPI");
	(void) plan_write(&drop_instance, NULL, NULL, 0);
	SPI_finish();
	return PointerGetDatum(trigger->tg_trigtuple);
}

/*
 * adopt_refunds.c
 *		The update from 0.1, which requested refunds and knew nothing of after-sales and
 *		gateways.
 */
#include "compat.h"

#include "core/call.h"
#include "machine/after_sale_cancel.h"
#include "machine/refund.h"

/* Returns the number of after-sales that were opened. */
static Datum
adopt_refunds(FunctionCallInfo fcinfo)
{
	Journal    *journal = journal_begin(GetCurrentTimestamp());
	int			opened = after_sales_open_for_refunds(journal);

	refunds_publish_waiting(journal, NULL);
	journal_write(journal);
	PG_RETURN_INT32(opened);
}

PG_FUNCTION_INFO_V1(order_ext_adopt_refunds);
Datum
order_ext_adopt_refunds(PG_FUNCTION_ARGS)
{
	return api_call(fcinfo, adopt_refunds);
}

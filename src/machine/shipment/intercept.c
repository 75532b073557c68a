/*
 * intercept.c
 *		Interceptions that were refused; see intercept.h.
 */
#include "compat.h"

#include "core/jsonb_build.h"
#include "machine/shipment/intercept.h"

void
intercept_refused(Journal *journal, Order *order, Fulfilment *fulfilment, const char *event_id)
{
	JsonbBuilder *detail = jsonb_object_begin();

	jsonb_add_text(detail, "event_id", event_id);
	fulfilment_reject_cancel(journal, fulfilment);
	orders_fire(journal, order, 1, EVENT_REFUSE_INTERCEPT, ACTOR_WAREHOUSE, NULL,
				jsonb_object_end(detail));
}

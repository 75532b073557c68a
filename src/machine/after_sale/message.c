/*
 * message.c
 *		What is published about an after-sale; see message.h.
 */
#include "compat.h"

#include "core/jsonb_build.h"
#include "machine/after_sale/message.h"

JsonbBuilder *
after_sale_payload(const AfterSale *after_sale)
{
	JsonbBuilder *payload;

	if (after_sale->order_id != 0)
		payload = journal_payload(after_sale->order_id, after_sale->user_id,
								  after_sale->order_version);
	else
	{
		payload = jsonb_object_begin();
		jsonb_add_text(payload, "order_id", NULL);
		jsonb_add_text(payload, "user_id", NULL);
		jsonb_add_int(payload, "version", 0);
	}
	jsonb_add_id(payload, "after_sale_id", after_sale->after_sale_id);
	return payload;
}

void
after_sale_alert(Journal *journal, const AfterSale *after_sale, const char *kind,
				 const char *reason)
{
	/* there may be no order to log it under */
	journal_alert(journal,
				  after_sale->order_id != 0 ? after_sale->order_id : after_sale->after_sale_id,
				  kind, reason, after_sale_payload(after_sale));
}

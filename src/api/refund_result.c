/*
 * refund_result.c
 *		The results of calls about refunds; see refund_result.h.
 */
#include "compat.h"

#include "api/refund_result.h"

JsonbBuilder *
refund_detail(const Refund *refund)
{
	JsonbBuilder *detail = jsonb_object_begin();

	jsonb_add_id(detail, "refund_id", refund->refund_id);
	jsonb_add_id(detail, "order_id", refund->order_id);
	jsonb_add_id(detail, "payment_id", refund->payment_id);
	if (refund->after_sale_id != 0)
		jsonb_add_id(detail, "after_sale_id", refund->after_sale_id);
	jsonb_add_int(detail, "amount", refund->amount);
	jsonb_add_text(detail, "currency", refund->currency);
	return detail;
}

void
refund_result(CallResult *result, const Refund *refund, const char *disposition,
			  JsonbBuilder *detail)
{
	memset(result, 0, sizeof(CallResult));
	result->id = refund->refund_id;
	result->status = machine_status_name(MACHINE_REFUND, refund->status);
	result->version = refund->version;
	result->disposition = disposition;
	result->detail = jsonb_object_end(detail != NULL ? detail : refund_detail(refund));
}

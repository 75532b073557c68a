/*
 * after_sale_result.c
 *		The results of calls about after-sales; see after_sale_result.h.
 */
#include "compat.h"

#include "api/after_sale_result.h"
#include "core/jsonb_build.h"

JsonbBuilder *
after_sale_detail(const AfterSale *after_sale)
{
	JsonbBuilder *detail = jsonb_object_begin();

	jsonb_add_id(detail, "after_sale_id", after_sale->after_sale_id);
	jsonb_add_id(detail, "order_id", after_sale->order_id);
	jsonb_add_text(detail, "type",
				   code_name(CODES_AFTER_SALE_TYPE, after_sale->type));
	jsonb_add_int(detail, "amount", after_sale->amount);
	jsonb_add_int(detail, "freight", after_sale->freight);
	if (after_sale->return_status != NO_RETURN)
		jsonb_add_text(detail, "return_status",
					   machine_status_name(MACHINE_RETURN, after_sale->return_status));
	return detail;
}

void
after_sale_result(CallResult *result, const AfterSale *after_sale, const char *disposition,
				  Jsonb *detail)
{
	memset(result, 0, sizeof(CallResult));
	result->id = after_sale->after_sale_id;
	result->status = machine_status_name(MACHINE_AFTER_SALE, after_sale->status);
	result->version = after_sale->version;
	result->disposition = disposition;
	result->detail = detail != NULL ? detail : jsonb_object_end(after_sale_detail(after_sale));
}

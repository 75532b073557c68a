/*
 * gateways.c
 *		Gateways in the database; see gateways.h.
 */
#include "compat.h"

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

#include "machine/gateway/gateways.h"

#define GROUP_PREFIX "refund.execute:"

char *
gateway_group_name(const char *pay_type)
{
	return psprintf(GROUP_PREFIX "%s", pay_type);
}

const char *
gateway_pay_type(const char *group_name)
{
	return group_name + strlen(GROUP_PREFIX);
}

static Oid
request_type_oid(void)
{
	return GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid, CStringGetDatum("refund_request"),
						   ObjectIdGetDatum(get_namespace_oid("order_ext", false)));
}

bool
gateway_signature_fits(Oid function)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	Form_pg_proc form;
	bool		fits;

	if (!HeapTupleIsValid(tuple))
		return false;
	form = (Form_pg_proc) GETSTRUCT(tuple);
	fits = form->prokind == PROKIND_FUNCTION && form->pronargs == 1 && !form->proretset &&
		form->prorettype == TEXTOID && form->proargtypes.values[0] == request_type_oid();
	ReleaseSysCache(tuple);
	return fits;
}

Datum
gateway_request(const Refund *refund)
{
	TupleDesc	desc = lookup_rowtype_tupdesc_copy(request_type_oid(), -1);
	Datum		values[9];
	bool		nulls[9] = {false};

	values[0] = Int64GetDatum(refund->refund_id);
	values[1] = Int64GetDatum(refund->payment_id);
	values[2] = Int64GetDatum(refund->order_id);
	values[3] = CStringGetTextDatum(refund->out_trade_no);
	values[4] = CStringGetTextDatum(refund->pay_type);
	values[5] = Int64GetDatum(refund->amount);
	values[6] = CStringGetTextDatum(refund->currency);
	values[7] = Int32GetDatum(refund->attempt);
	values[8] = Int64GetDatum(refund->payment_amount);
	return HeapTupleGetDatum(heap_form_tuple(desc, values, nulls));
}

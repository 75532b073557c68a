/*
 * gateway.c
 *		Calling gateways in the database; see gateway.h.
 *
 * A gateway function runs as the role it was set for, in a session of that role: a worker's,
 * or that of somebody who calls dispatch(). It is the handler of a consumer group of its own:
 * whatever happens to it happens to handlers, too.
 */
#include "compat.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/resowner.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

#include "handlers/gateway.h"
#include "message/base/rights.h"
#include "message/delivery/failure.h"

#define GROUP_PREFIX "refund.execute:"

char *
gateway_group_name(const char *pay_type)
{
	return psprintf(GROUP_PREFIX "%s", pay_type);
}

const char *
gateway_pay_type(const Handler *gateway)
{
	return gateway->group->name + strlen(GROUP_PREFIX);
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

static Datum
request_datum(const Refund *refund)
{
	TupleDesc	desc = lookup_rowtype_tupdesc_copy(request_type_oid(), -1);
	Datum		values[8];
	bool		nulls[8] = {false};

	values[0] = Int64GetDatum(refund->refund_id);
	values[1] = Int64GetDatum(refund->payment_id);
	values[2] = Int64GetDatum(refund->order_id);
	values[3] = CStringGetTextDatum(refund->out_trade_no);
	values[4] = CStringGetTextDatum(refund->pay_type);
	values[5] = Int64GetDatum(refund->amount);
	values[6] = CStringGetTextDatum(refund->currency);
	values[7] = Int32GetDatum(refund->attempt);
	return HeapTupleGetDatum(heap_form_tuple(desc, values, nulls));
}

static char *
call_function(Handler *gateway, const Message *message, const Refund *refund)
{
	Oid			function = function_by_signature(gateway->group->handler);
	Datum		answer;
	bool		isnull;

	if (!OidIsValid(function) || !gateway_signature_fits(function))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("gateway %s does not exist any more", gateway->group->handler),
				 errhint("Set it again with set_gateway.")));
	answer = handler_call(gateway, function, message, request_datum(refund), &isnull);
	return isnull ? NULL : TextDatumGetCString(answer);
}

char *
gateway_call(Handler *gateway, const Message *message, const Refund *refund, char **error)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	char	   *volatile word = NULL;
	Failure    *volatile failure = NULL;

	*error = NULL;
	if (gateway == NULL)
		return sandbox_call(refund);

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		word = call_function(gateway, message, refund);
		ReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = owner;
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		failure = failure_from_error(gateway->in_dispatch);
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = owner;
	}
	PG_END_TRY();
	if (failure != NULL && failure_is_conflict(failure))
		ereport(ERROR,
				(errcode(failure->sqlstate),
				 errmsg("%s", failure->message)));
	if (failure != NULL)
		*error = psprintf("%s: %s", unpack_sql_state(failure->sqlstate), failure->message);
	return word;
}

/*
 * gateway.c
 *		Calling gateways in the database; see gateway.h.
 *
 * A gateway function runs as the role it was set for. Where that is not a superuser it
 * runs in a security-restricted operation, as the worker's session is a superuser's: it
 * cannot get back to another role, queue deferred triggers or leave temporary objects
 * behind. Settings it changes end with the call.
 */
#include "compat.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

#include "core/spi_util.h"
#include "handlers/gateway.h"
#include "message/handler.h"

static SavedPlan read_gateways = SAVED_PLAN_NO_ARGS(
	"SELECT pay_type, handler, run_as FROM order_ext_internal.gateways");

Gateway *
gateways_load(int *n)
{
	Gateway    *gateways;
	int			i;

	*n = (int) plan_query(&read_gateways, NULL, NULL, 0);
	gateways = palloc(sizeof(Gateway) * Max(*n, 1));
	for (i = 0; i < *n; i++)
	{
		gateways[i].pay_type = row_text(i, 1);
		gateways[i].handler = row_text(i, 2);
		gateways[i].run_as = row_text(i, 3);
	}
	return gateways;
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

/* Look up again what may have changed since the gateway was set; as its role. */
static Oid
resolve(const Gateway *gateway, Oid role)
{
	Oid			function = function_by_signature(gateway->handler);

	if (!OidIsValid(function) || !gateway_signature_fits(function))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("gateway %s does not exist any more", gateway->handler),
				 errhint("Set it again with set_gateway.")));
	if (superuser_arg(role) && !function_owner_is_superuser(function))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("gateway %s runs as a superuser but does not belong to one any more",
						gateway->handler)));
	if (!may_execute(function, role))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("role \"%s\" may not execute gateway %s any more",
						gateway->run_as, gateway->handler)));
	return function;
}

/* The error of a role that is gone comes out as it is. */
static char *
call_function(const Gateway *gateway, const Refund *refund)
{
	Oid			role = get_role_oid(gateway->run_as, false);
	Datum		request = request_datum(refund);
	Oid			outer_user;
	int			outer_context;
	int			context;
	int			guc_level = NewGUCNestLevel();
	FmgrInfo	flinfo;
	LOCAL_FCINFO(call, 1);
	Datum		answer;
	char	   *word;

	GetUserIdAndSecContext(&outer_user, &outer_context);
	context = outer_context | SECURITY_LOCAL_USERID_CHANGE;
	if (!superuser_arg(role))
		context |= SECURITY_RESTRICTED_OPERATION;
	SetUserIdAndSecContext(role, context);

	fmgr_info(resolve(gateway, role), &flinfo);
	InitFunctionCallInfoData(*call, &flinfo, 1, InvalidOid, NULL, NULL);
	call->args[0].value = request;
	call->args[0].isnull = false;
	PushActiveSnapshot(GetTransactionSnapshot());
	answer = FunctionCallInvoke(call);
	word = call->isnull ? NULL : TextDatumGetCString(answer);
	PopActiveSnapshot();

	SetUserIdAndSecContext(outer_user, outer_context);
	AtEOXact_GUC(false, guc_level);
	return word;
}

/* What must not be taken for the gateway's own failure. */
static bool
comes_from_outside(int sqlstate)
{
	return sqlstate == ERRCODE_QUERY_CANCELED || sqlstate == ERRCODE_ADMIN_SHUTDOWN ||
		sqlstate == ERRCODE_T_R_DEADLOCK_DETECTED ||
		sqlstate == ERRCODE_T_R_SERIALIZATION_FAILURE;
}

char *
gateway_call(const Gateway *gateway, const Refund *refund, char **error)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	char	   *volatile word = NULL;
	char	   *volatile message = NULL;

	*error = NULL;
	if (gateway->handler == NULL)
		return sandbox_call(refund);

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		word = call_function(gateway, refund);
		ReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = owner;
	}
	PG_CATCH();
	{
		ErrorData  *data;

		MemoryContextSwitchTo(context);
		if (comes_from_outside(geterrcode()))
			PG_RE_THROW();
		data = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = owner;
		message = psprintf("%s: %s", unpack_sql_state(data->sqlerrcode),
						   data->message != NULL ? data->message : "(no message)");
	}
	PG_END_TRY();
	*error = message;
	return word;
}

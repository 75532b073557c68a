/*
 * gateway.c
 *		Calling gateways in the database; see gateway.h.
 *
 * A gateway function runs as the role it was set for, in a session of that role: a worker's, or
 * that of a caller of dispatch(). It is the handler of its own consumer group and is treated like
 * any other handler.
 */
#include "compat.h"

#include "access/xact.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/resowner.h"

#include "handlers/gateway.h"
#include "handlers/sandbox.h"
#include "machine/gateway/gateways.h"
#include "message/base/rights.h"
#include "message/delivery/failure.h"

static char *
call_function(Handler *gateway, const Message *message, const Refund *refund)
{
	Oid			function = rights_function_by_signature(gateway->group->handler);
	Datum		answer;
	bool		isnull;

	if (!OidIsValid(function) || !gateway_signature_fits(function))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("gateway %s no longer exists", gateway->group->handler),
				 errhint("Set it again with set_gateway.")));
	answer = handler_call(gateway, function, message, gateway_request(refund), &isnull);
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

/*
 * handler.c
 *		Calling handlers; see handler.h.
 */
#include "compat.h"

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

#include "core/error_facts.h"
#include "core/locks.h"
#include "message/base/engine.h"
#include "message/base/limits.h"
#include "message/base/rights.h"
#include "message/delivery/handler.h"
#include "message/delivery/running.h"
#include "message/delivery/session.h"
#include "message/delivery/time_limit.h"

/* ---- finding it ---- */

static Oid
message_type_oid(void)
{
	return GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid, CStringGetDatum("message"),
						   ObjectIdGetDatum(get_namespace_oid("order_ext", false)));
}

bool
handler_signature_fits(Oid function, bool *batch)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	Form_pg_proc form;
	Oid			type = message_type_oid();
	bool		fits = false;

	if (!HeapTupleIsValid(tuple))
		return false;
	form = (Form_pg_proc) GETSTRUCT(tuple);
	if (form->prokind == PROKIND_FUNCTION && form->pronargs == 1 && !form->proretset &&
		form->prorettype == VOIDOID)
	{
		*batch = (form->proargtypes.values[0] == get_array_type(type));
		fits = *batch || form->proargtypes.values[0] == type;
	}
	ReleaseSysCache(tuple);
	return fits;
}

static bool
refuse(Failure *why, int sqlstate, char *message)
{
	why->sqlstate = sqlstate;
	why->message = message;
	why->detail = NULL;
	return false;
}

/*
 * Everything is looked up again for each batch, since functions and roles can be dropped and
 * created.
 */
static bool
open_database_function(const ConsumerGroup *group, Handler *handler, Failure *why)
{
	const Topic *topic = catalog_topic_by_id(group->topic_id);
	Oid			function = InvalidOid;
	char	   *reason;

	if (group->handler != NULL)
		function = rights_function_by_signature(group->handler);
	if (!OidIsValid(function) || !handler_signature_fits(function, &handler->batch))
		return refuse(why, ERRCODE_UNDEFINED_FUNCTION,
					  psprintf("handler %s does not exist",
							   group->handler != NULL ? group->handler : "(none)"));
	handler->run_as = bound_role(&group->run_as);
	if (!OidIsValid(handler->run_as))
		return refuse(why, ERRCODE_UNDEFINED_OBJECT, bound_role_absence(&group->run_as));
	reason = rights_refusal_to_run(function, handler->run_as);
	if (reason == NULL)
		reason = rights_refusal_of_owner(function, &group->handler_owner, handler->run_as);
	if (reason != NULL)
		return refuse(why, ERRCODE_INSUFFICIENT_PRIVILEGE,
					  psprintf("cannot run handler %s: %s", group->handler, reason));

	fmgr_info(function, &handler->function);
	handler->message_type = message_type_oid();
	handler->message_desc = lookup_rowtype_tupdesc_copy(handler->message_type, -1);
	handler->topic_name = CStringGetTextDatum(topic != NULL ? topic->name : "");
	return true;
}

/* Whether the function can be called is checked when it is called. */
static void
open_adapted(const ConsumerGroup *group, Handler *handler)
{
	handler->adapted = builtin_adapted_handler_of(group->topic_id);
	handler->run_as = bound_role(&group->run_as);
}

bool
handler_open(const ConsumerGroup *group, bool in_dispatch, Handler *handler, Failure *why)
{
	memset(handler, 0, sizeof(Handler));
	handler->group = group;
	handler->in_dispatch = in_dispatch;
	handler->call_context = AllocSetContextCreate(CurrentMemoryContext, "order_ext handler call",
												  ALLOCSET_DEFAULT_SIZES);
	if (!group->builtin && !group->adapted)
		return open_database_function(group, handler, why);
	if (group->builtin)
		handler->builtin = builtin_handler_of(group->topic_id);
	else
		open_adapted(group, handler);
	if (handler->builtin == NULL && handler->adapted == NULL)
		return refuse(why, ERRCODE_UNDEFINED_FUNCTION,
					  psprintf("this version of the library has no handler for \"%s\"",
							   group->name));
	handler->batch = true;
	return true;
}

/* ---- calling it ---- */

/* The group whose handler, or a trigger deferred by it, is running; 0: none. */
static int32 running_group = 0;

int32
handler_running_group(void)
{
	return running_group;
}

void
handler_refuse_change(int32 group_id)
{
	const ConsumerGroup *group = catalog_group_by_id(group_id);

	if (group_id == running_group)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("consumer group \"%s\" cannot be changed by its own handler",
						group != NULL ? group->name : ""),
				 error_facts("Its handler is running in this transaction.",
							 FACT_TEXT("consumer_group", group != NULL ? group->name : NULL)),
				 errhint("Call order_ext.pause() here, and change the group from another "
						 "session.")));
}

/*
 * Called around the handler's work, or deferred work, for these messages. If it is unknown which
 * of several crashed the server, those of the whole transaction are next again.
 */
static void
call_begins(const Handler *handler, const Message *messages, int n)
{
	time_limit_begin(time_limit_of(handler->group));
	running_group = handler->group->id;
	if (n > 1 && handler->n_before > 0)
		running_begin(handler->group->id, handler->first, handler->n_before + n);
	else
		running_begin(handler->group->id, messages, n);
}

static void
call_succeeded(void)
{
	running_end();
	running_group = 0;
	time_limit_end();
}

static void
call_failed(void)
{
	running_end();
	running_series_ends();
	running_group = 0;
	time_limit_end_failed();
}

static Datum
message_datum(const Handler *handler, const Message *message)
{
	Datum		values[6];
	bool		nulls[6] = {false};

	values[0] = Int64GetDatum(message->id);
	values[1] = handler->topic_name;
	values[2] = Int64GetDatum(message->key);
	values[3] = JsonbPGetDatum(message->payload);
	values[4] = Int32GetDatum(message->attempt);
	values[5] = TimestampTzGetDatum(message->published_at);
	return HeapTupleGetDatum(heap_form_tuple(handler->message_desc, values, nulls));
}

static Datum
message_array_datum(const Handler *handler, const Message *messages, int n)
{
	Datum	   *elements = palloc(sizeof(Datum) * n);
	int			i;

	for (i = 0; i < n; i++)
		elements[i] = message_datum(handler, &messages[i]);
	return PointerGetDatum(construct_array(elements, n, handler->message_type,
										   -1, false, TYPALIGN_DOUBLE));
}

/* Make a call with n messages: as an array, or the single one. */
static void
call_function(Handler *handler, const Message *messages, int n)
{
	LOCAL_FCINFO(fcinfo, 1);
	MemoryContext old = MemoryContextSwitchTo(handler->call_context);

	InitFunctionCallInfoData(*fcinfo, &handler->function, 1, InvalidOid, NULL, NULL);
	fcinfo->args[0].value = handler->batch ? message_array_datum(handler, messages, n)
		: message_datum(handler, messages);
	fcinfo->args[0].isnull = false;

	PushActiveSnapshot(GetTransactionSnapshot());
	call_begins(handler, messages, n);
	(void) FunctionCallInvoke(fcinfo);
	call_succeeded();
	PopActiveSnapshot();

	MemoryContextSwitchTo(old);
	MemoryContextReset(handler->call_context);
}

/* A worker's turn at a group is bounded: what is not begun in time comes with the next batch. */
static int
call_database_function(Handler *handler, const Message *messages, int n)
{
	TimestampTz until = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), BATCH_MS);
	int			step = handler->batch ? n : 1;
	bool		series = n > step;
	RoleScope	scope;
	int			i;

	if (series)
		running_series_begins(handler->group->id,
							  handler->n_before > 0 ? handler->first : messages,
							  handler->n_before + n);
	for (i = 0; i < n; i += step)
	{
		if (i > 0 && !handler->in_dispatch && GetCurrentTimestamp() > until)
			break;
		CHECK_FOR_INTERRUPTS();
		session_enter(&scope, handler->run_as);
		call_function(handler, &messages[i], step);
		role_leave(&scope);
	}
	if (series)
		running_series_ends();
	return i;
}

static Datum
call_as_role(Handler *handler, Oid function, const Message *message, Datum argument, bool *isnull)
{
	LOCAL_FCINFO(fcinfo, 1);
	RoleScope	scope;
	FmgrInfo	flinfo;
	Datum		result;

	fmgr_info(function, &flinfo);
	InitFunctionCallInfoData(*fcinfo, &flinfo, 1, InvalidOid, NULL, NULL);
	fcinfo->args[0].value = argument;
	fcinfo->args[0].isnull = false;
	session_enter(&scope, handler->run_as);
	PushActiveSnapshot(GetTransactionSnapshot());
	call_begins(handler, message, 1);
	locks_brief_end();			/* what it waits for is the application's business */
	result = FunctionCallInvoke(fcinfo);
	if (!handler->in_dispatch)
		session_settle();
	locks_brief_begin();
	call_succeeded();
	PopActiveSnapshot();
	role_leave(&scope);
	*isnull = fcinfo->isnull;
	return result;
}

Datum
handler_call(Handler *handler, Oid function, const Message *message, Datum argument, bool *isnull)
{
	char	   *reason = rights_refusal_to_run(function, handler->run_as);
	Datum		result = (Datum) 0;

	if (reason == NULL)
		reason = rights_refusal_of_owner(function, &handler->group->handler_owner, handler->run_as);
	if (reason != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("cannot run %s: %s", rights_function_signature(function), reason)));
	handler->called = !handler->in_dispatch;
	PG_TRY();
	{
		result = call_as_role(handler, function, message, argument, isnull);
	}
	PG_CATCH();
	{
		call_failed();
		locks_brief_begin();
		PG_RE_THROW();
	}
	PG_END_TRY();
	time_limit_begin(time_limit_of(handler->group));	/* for the rest of the batch */
	return result;
}

static void
call_engine(Handler *handler, Message *messages, int n)
{
	EngineScope scope;

	engine_enter(&scope);
	PushActiveSnapshot(GetTransactionSnapshot());
	time_limit_begin(time_limit_of(handler->group));
	locks_brief_begin();
	if (handler->adapted != NULL)
		handler->adapted(handler, messages, n);
	else
		handler->builtin(messages, n);
	locks_brief_end();
	time_limit_end();
	PopActiveSnapshot();
	engine_leave(&scope);
}

static bool
is_of_engine(const Handler *handler)
{
	return handler->builtin != NULL || handler->adapted != NULL;
}

/* The deferred work of a handler has been done. */
static void
settle(const Handler *handler, const Message *messages, int n)
{
	RoleScope	scope;

	session_enter(&scope, handler->run_as);
	call_begins(handler, messages, n);
	session_settle();
	call_succeeded();
	role_leave(&scope);
}

void
handler_settle(const Handler *handler, const Message *messages, int n)
{
	if (is_of_engine(handler))
		return;
	time_limit_forget();
	PG_TRY();
	{
		settle(handler, messages, n);
	}
	PG_CATCH();
	{
		call_failed();
		PG_RE_THROW();
	}
	PG_END_TRY();
}

int
handler_run(Handler *handler, Message *messages, int n)
{
	volatile int run = n;

	time_limit_forget();
	PG_TRY();
	{
		if (is_of_engine(handler))
			call_engine(handler, messages, n);
		else
			run = call_database_function(handler, messages, n);
	}
	PG_CATCH();
	{
		locks_brief_end();
		call_failed();
		PG_RE_THROW();
	}
	PG_END_TRY();
	return run;
}

/*
 * call.c
 *		The frame in which every writing API call runs, and its result.
 */
#include "compat.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "storage/proc.h"
#include "tcop/utility.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/tuplestore.h"

#include "core/call.h"
#include "core/error_facts.h"
#include "core/errors.h"
#include "core/settings.h"

static MemoryContext result_context = NULL;

/* The error being raised comes from a function of the application. */
static bool error_is_applications = false;

/*
 * A unique violation on a row that is not visible in this transaction's snapshot means that a
 * concurrent transaction inserted it. external_id is the caller's own unique key.
 */
static bool
is_invisible_duplicate(const ErrorData *error)
{
	return error->sqlerrcode == ERRCODE_UNIQUE_VIOLATION && IsolationUsesXactSnapshot() &&
		error->schema_name && strcmp(error->schema_name, "order_ext_internal") == 0 &&
		error->constraint_name && strcmp(error->constraint_name, "orders_external_id") != 0;
}

/*
 * One of our tables was found by name but no longer exists when it is opened: DROP EXTENSION has
 * committed in between. These messages of the server are not translated.
 */
static bool
is_gone(const ErrorData *error)
{
	static const char relation[] = "could not open relation with OID";
	static const char object[] = "cache lookup failed for";

	return error->sqlerrcode == ERRCODE_INTERNAL_ERROR && error->message != NULL &&
		(strncmp(error->message, relation, strlen(relation)) == 0 ||
		 strncmp(error->message, object, strlen(object)) == 0);
}

/*
 * A lock wait that reached our limit becomes OE110, an invisible duplicate 40001, a dropped table
 * 55000; everything else, and any error of an application's function, is rethrown unchanged.
 */
static void
rethrow_translated(MemoryContext context)
{
	ErrorData  *error;
	bool		is_applications = error_is_applications;

	error_is_applications = false;
	if (is_applications)
		PG_RE_THROW();

	if (geterrcode() != ERRCODE_LOCK_NOT_AVAILABLE && geterrcode() != ERRCODE_UNIQUE_VIOLATION &&
		geterrcode() != ERRCODE_INTERNAL_ERROR)
		PG_RE_THROW();
	MemoryContextSwitchTo(context);
	error = CopyErrorData();
	if (is_gone(error))
	{
		FlushErrorState();
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("extension \"order_ext\" was dropped or updated concurrently"),
				 error_facts("{reason}", FACT_TEXT("reason", error->message)),
				 errhint("Try again, or run CREATE EXTENSION order_ext in this database.")));
	}
	if (is_invisible_duplicate(error))
	{
		FlushErrorState();
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("could not serialize access due to a concurrent call"),
				 error_facts("{reason}",
							 FACT_TEXT("reason", error->detail ? error->detail : error->message)),
				 errhint("The transaction might succeed if retried.")));
	}
	if (error->sqlerrcode != ERRCODE_LOCK_NOT_AVAILABLE)
		PG_RE_THROW();
	FlushErrorState();
	ereport(ERROR,
			(errcode(ERRCODE_OE_BUSY),
			 errmsg("could not obtain a lock because another transaction is working on the same "
					"object"),
			 error_facts("The wait is limited by order_ext.lock_timeout ({lock_timeout} ms): "
						 "{reason}.",
						 FACT_INT("lock_timeout", setting_lock_timeout),
						 FACT_TEXT("reason", error->message)),
			 error->context ? errcontext("%s", error->context) : 0,
			 errhint("Try again.")));
}

static Datum
call_frame(FunctionCallInfo fcinfo, CallBody body)
{
	MemoryContext caller_context = CurrentMemoryContext;
	MemoryContext outer_result_context = result_context;
	int			outer_lock_timeout = LockTimeout;
	Datum		result = (Datum) 0;

	PG_TRY();
	{
		/* For row locks, the shortest possible wait stands for "fail at once". */
		LockTimeout = Max(setting_lock_timeout, 1);
		result_context = caller_context;
		if (SPI_connect() != SPI_OK_CONNECT)
			elog(ERROR, "could not connect to SPI");
		result = body(fcinfo);
		SPI_finish();
		LockTimeout = outer_lock_timeout;
		result_context = outer_result_context;
	}
	PG_CATCH();
	{
		LockTimeout = outer_lock_timeout;
		result_context = outer_result_context;
		rethrow_translated(caller_context);
	}
	PG_END_TRY();
	return result;
}

void
call_keep_error(void)
{
	error_is_applications = true;
}

/*
 * On a standby, a call must not appear to succeed just because it found nothing to write. (If the
 * transaction is read-only for another reason, the first write fails.)
 */
Datum
api_call(FunctionCallInfo fcinfo, CallBody body)
{
	if (RecoveryInProgress())
		PreventCommandDuringRecovery(psprintf("%s()", get_func_name(fcinfo->flinfo->fn_oid)));
	return call_frame(fcinfo, body);
}

Datum
api_read(FunctionCallInfo fcinfo, CallBody body)
{
	return call_frame(fcinfo, body);
}

static Datum
call_return_copy(Datum value, bool typbyval, int typlen)
{
	MemoryContext old = MemoryContextSwitchTo(result_context);

	value = datumCopy(value, typbyval, typlen);
	MemoryContextSwitchTo(old);
	return value;
}

Datum
call_return_jsonb(Jsonb *value)
{
	return call_return_copy(PointerGetDatum(value), false, -1);
}

void
call_put_jsonb(FunctionCallInfo fcinfo, Jsonb *value)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Datum		values[1] = {JsonbPGetDatum(value)};
	bool		nulls[1] = {false};

	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

Datum
call_return_row(FunctionCallInfo fcinfo, Datum *values, bool *nulls)
{
	MemoryContext old = MemoryContextSwitchTo(result_context);
	TupleDesc	tupdesc;
	Datum		row;

	if (get_call_result_type(fcinfo, NULL, &tupdesc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "result type of the call is not composite");
	row = HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(tupdesc), values, nulls));
	MemoryContextSwitchTo(old);
	return row;
}

Datum
call_return_result(FunctionCallInfo fcinfo, const CallResult *result)
{
	Datum		values[5] = {0};
	bool		nulls[5] = {false, false, false, false, false};

	values[0] = Int64GetDatum(result->id);
	nulls[0] = result->id_is_null;
	if (result->status != NULL)
		values[1] = CStringGetTextDatum(result->status);
	else
		nulls[1] = true;
	values[2] = Int32GetDatum(result->version);
	nulls[2] = (result->version == 0);
	values[3] = CStringGetTextDatum(result->disposition);
	if (result->detail != NULL)
		values[4] = PointerGetDatum(result->detail);
	else
		nulls[4] = true;
	return call_return_row(fcinfo, values, nulls);
}

Oid
call_role(void)
{
	return GetOuterUserId();
}

const char *
call_operator(void)
{
	if (setting_operator == NULL || setting_operator[0] == '\0')
		return NULL;
	/* it may come from a file that was read before the database's encoding was known */
	pg_verifymbstr(setting_operator, strlen(setting_operator), false);
	return setting_operator;
}

const char *
call_operator_or_role(void)
{
	const char *operator = call_operator();

	return operator != NULL ? operator : GetUserNameFromId(call_role(), false);
}

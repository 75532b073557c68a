/*
 * failure.c
 *		Why an attempt at a message failed; see failure.h.
 */
#include "compat.h"

#include "mb/pg_wchar.h"

#include "core/settings.h"
#include "message/base/limits.h"
#include "message/delivery/failure.h"
#include "message/delivery/time_limit.h"

/*
 * Whether somebody canceled this process, which for dispatch() means its caller and for a
 * worker the handler. A handler can raise the same SQLSTATE: what it asked of another server
 * was canceled there.
 */
static bool
is_callers_cancel(const ErrorData *error, bool in_dispatch)
{
	return in_dispatch && error->sqlerrcode == ERRCODE_QUERY_CANCELED && !time_limit_passed() &&
		error->funcname != NULL && strcmp(error->funcname, "ProcessInterrupts") == 0;
}

Failure *
failure_from_error(bool in_dispatch)
{
	ErrorData  *error = CopyErrorData();
	Failure    *failure = palloc(sizeof(Failure));

	if (is_callers_cancel(error, in_dispatch))
		ReThrowError(error);
	FlushErrorState();
	failure->sqlstate = error->sqlerrcode;
	failure->message = error->message != NULL ? error->message : pstrdup("(no message)");
	failure->message[pg_mbcliplen(failure->message, strlen(failure->message), MAX_ERROR_BYTES)] = '\0';
	failure->detail = error->detail;
	if (error->sqlerrcode == ERRCODE_QUERY_CANCELED && time_limit_passed())
		failure->message = psprintf("handler ran longer than order_ext.handler_timeout (%d ms)",
									setting_handler_timeout);
	return failure;
}

bool
failure_is_conflict(const Failure *failure)
{
	return failure->sqlstate == ERRCODE_T_R_DEADLOCK_DETECTED ||
		failure->sqlstate == ERRCODE_T_R_SERIALIZATION_FAILURE;
}

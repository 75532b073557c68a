/*
 * failure.c
 *		Why an attempt at a message failed; see failure.h.
 */
#include "compat.h"

#include "mb/pg_wchar.h"

#include "message/base/limits.h"
#include "message/delivery/callers_cancel.h"
#include "message/delivery/failure.h"
#include "message/delivery/time_limit.h"

Failure *
failure_from_error(bool in_dispatch)
{
	ErrorData  *error = CopyErrorData();
	Failure    *failure = palloc(sizeof(Failure));

	/*
	 * In a worker, a cancel concerns the handler; in dispatch(), its caller. A handler can also
	 * raise the same SQLSTATE if a query it sent to another server was canceled there.
	 */
	if (in_dispatch && callers_cancel_seen())
	{
		if (error->sqlerrcode == ERRCODE_QUERY_CANCELED)
			ReThrowError(error);
		callers_cancel_repeat();
	}
	FlushErrorState();
	failure->sqlstate = error->sqlerrcode;
	failure->message = error->message != NULL ? error->message : pstrdup("(no message)");
	failure->message[pg_mbcliplen(failure->message, strlen(failure->message),
								  MAX_ERROR_BYTES)] = '\0';
	failure->detail = error->detail;
	if (error->sqlerrcode == ERRCODE_QUERY_CANCELED && time_limit_passed())
		failure->message = psprintf("handler ran longer than %s", time_limit_text());
	return failure;
}

bool
failure_is_conflict(const Failure *failure)
{
	return failure->sqlstate == ERRCODE_T_R_DEADLOCK_DETECTED ||
		failure->sqlstate == ERRCODE_T_R_SERIALIZATION_FAILURE;
}

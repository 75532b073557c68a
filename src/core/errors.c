/*
 * errors.c
 *		Errors that several modules have in common; see errors.h.
 */
#include "compat.h"

#include "lib/stringinfo.h"

#include "core/errors.h"

void
error_conflict(const char *format,...)
{
	StringInfoData what;

	initStringInfo(&what);
	for (;;)
	{
		va_list		args;
		int			needed;

		va_start(args, format);
		needed = appendStringInfoVA(&what, format, args);
		va_end(args);
		if (needed == 0)
			break;
		enlargeStringInfo(&what, needed);
	}
	ereport(ERROR,
			(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
			 errmsg("could not serialize access: %s", what.data),
			 errhint("The transaction might succeed if retried.")));
}

/*
 * interval.c
 *		Intervals as lengths of time; see interval.h.
 */
#include "compat.h"

#include "utils/fmgrprotos.h"

#include "core/interval.h"

double
interval_usecs(const Interval *interval)
{
	return (double) interval->time +
		((double) interval->month * DAYS_PER_MONTH + interval->day) * USECS_PER_DAY;
}

bool
interval_read(const char *text, double *usecs)
{
	MemoryContext context = CurrentMemoryContext;
	volatile bool ok = false;

	PG_TRY();
	{
		Datum		interval = DirectFunctionCall3(interval_in, CStringGetDatum(text),
												   ObjectIdGetDatum(InvalidOid),
												   Int32GetDatum(-1));

		*usecs = interval_usecs(DatumGetIntervalP(interval));
		ok = true;
	}
	PG_CATCH();
	{
		/* not an interval; any other error must not be hidden */
		if (ERRCODE_TO_CATEGORY(geterrcode()) != ERRCODE_DATA_EXCEPTION)
			PG_RE_THROW();
		MemoryContextSwitchTo(context);
		FlushErrorState();
	}
	PG_END_TRY();
	return ok;
}

char *
interval_shown(Interval *interval)
{
	return DatumGetCString(DirectFunctionCall1(interval_out, IntervalPGetDatum(interval)));
}

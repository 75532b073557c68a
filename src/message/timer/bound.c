/*
 * bound.c
 *		Bound timers; see bound.h.
 */
#include "compat.h"

#include "message/timer/bound.h"

static TimerBindSource bind_source = NULL;

void
timer_bind_source(TimerBindSource source)
{
	bind_source = source;
}

bool
timer_bound_statuses(const int64 *keys, const TimestampTz *due_at, int n, int16 *statuses)
{
	if (bind_source == NULL)
		return false;
	bind_source(keys, due_at, n, statuses);
	return true;
}

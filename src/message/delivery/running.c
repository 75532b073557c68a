/*
 * running.c
 *		Marking what a worker runs; see running.h.
 */
#include "compat.h"

#include <signal.h>

#include "miscadmin.h"
#include "port/atomics.h"
#include "utils/timestamp.h"

#include "message/delivery/running.h"

RunningMark *running_mark = NULL;
void		(*running_mark_changed) (void) = NULL;
bool		(*running_mark_unrecorded) (int32 group_id) = NULL;

/* The series of calls in progress; messages is 0 if there is none. */
static RunningMark series;

/* The mark of one of them has been passed on. */
static volatile sig_atomic_t slow_one_noted = false;

static void
mark_changed(void)
{
	if (running_mark_changed != NULL)
		running_mark_changed();
}

static void
set_mark(int32 group_id, const Message *messages, int n)
{
	running_mark->messages = 0;
	running_mark->overran = false;
	running_mark->database = MyDatabaseId;
	running_mark->group_id = group_id;
	running_mark->message_id = messages[0].id;
	running_mark->attempt = messages[0].attempt;
	running_mark->pid = MyProcPid;
	running_mark->started_at = GetCurrentTimestamp();
	pg_write_barrier();
	running_mark->messages = n;
}

void
running_begin(int32 group_id, const Message *messages, int n)
{
	if (running_mark == NULL)
		return;
	set_mark(group_id, messages, n);
	if (series.messages == 0)
		mark_changed();
}

/* Between two calls of a series nothing is running. */
void
running_end(void)
{
	if (running_mark == NULL || running_mark->messages == 0)
		return;
	if (series.messages == 0)
	{
		running_mark->messages = 0;
		mark_changed();
		return;
	}
	running_mark->messages = 0;
	pg_write_barrier();
	if (!slow_one_noted)
		return;
	slow_one_noted = false;
	*running_mark = series;
	mark_changed();
	running_mark->messages = 0;
}

void
running_series_begins(int32 group_id, const Message *messages, int n)
{
	if (running_mark == NULL)
		return;
	set_mark(group_id, messages, n);
	mark_changed();
	series = *running_mark;
	slow_one_noted = false;
}

void
running_series_ends(void)
{
	if (running_mark == NULL || series.messages == 0)
		return;
	series.messages = 0;
	running_mark->messages = 0;
	mark_changed();
}

bool
running_in_series(void)
{
	return series.messages > 0;
}

void
running_slow(void)
{
	if (running_mark == NULL || series.messages == 0 || running_mark->messages == 0)
		return;
	slow_one_noted = true;
	mark_changed();
}

bool
running_overran(void)
{
	if (running_mark == NULL || running_mark->messages == 0)
		return false;
	running_mark->overran = true;
	mark_changed();
	return true;
}

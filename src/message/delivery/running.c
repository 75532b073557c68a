/*
 * running.c
 *		Marking what a worker runs; see running.h.
 */
#include "compat.h"

#include "miscadmin.h"
#include "port/atomics.h"
#include "utils/timestamp.h"

#include "message/delivery/running.h"

RunningMark *running_mark = NULL;
void		(*running_mark_changed) (void) = NULL;
bool		(*running_mark_unrecorded) (int32 group_id) = NULL;

static void
mark_changed(void)
{
	if (running_mark_changed != NULL)
		running_mark_changed();
}

void
running_begin(int32 group_id, const Message *messages, int n)
{
	if (running_mark == NULL)
		return;
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
	mark_changed();
}

void
running_end(void)
{
	if (running_mark == NULL || running_mark->messages == 0)
		return;
	running_mark->messages = 0;
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

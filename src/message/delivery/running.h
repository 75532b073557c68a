/*
 * running.h
 *		The mark of what a worker is running, for the case that it crashes; see quarantine.h.
 */
#ifndef ORDER_EXT_RUNNING_H
#define ORDER_EXT_RUNNING_H

#include "postgres.h"

#include "message/base/types.h"

/* What a process is running; messages: 0 nothing, 1 that one, more: a batch from it on. */
typedef struct RunningMark
{
	Oid			database;
	int32		group_id;
	int64		message_id;
	int32		attempt;
	int32		messages;
	int32		pid;
	int32		overran;		/* the process was ended by running_overran() */
	int32		recorder;		/* after a crash: the process that is recording it, 0 = none */
	int64		started_at;
} RunningMark;

/* Where this process marks what it runs; NULL: nowhere. */
extern RunningMark *running_mark;

/* Called whenever that has changed, if set; runs in signal handlers, too. */
extern void (*running_mark_changed) (void);

/*
 * Whether a process that ran a message of the group had to be ended, or crashed, and that is
 * not on record yet. Nobody else runs messages of the group until it is. NULL: never.
 */
extern bool (*running_mark_unrecorded) (int32 group_id);

/* Around the call of a handler. */
extern void running_begin(int32 group_id, const Message *messages, int n);
extern void running_end(void);

/*
 * The handler does not end, and its process shall: mark that. False where it is not to be
 * ended, not being a worker's, or has just come back. Called by a signal handler.
 */
extern bool running_overran(void);

#endif							/* ORDER_EXT_RUNNING_H */

/*
 * running.h
 *		Marking what a worker is running, in case it crashes; see quarantine.h.
 */
#ifndef ORDER_EXT_RUNNING_H
#define ORDER_EXT_RUNNING_H

#include "postgres.h"

#include "message/base/types.h"

/*
 * What a process is running; messages is 0 for nothing, 1 for that message, more for a batch from
 * it on.
 */
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

/* Where this process marks what it runs, or NULL. */
extern RunningMark *running_mark;

/*
 * Called when that has changed, if set; runs in signal handlers, too. Within a series, the mark is
 * that of the whole series at first, then of those calls that take longer than a millisecond: what
 * keeps marks for longer than a process need not be told of every message.
 */
extern void (*running_mark_changed) (void);

/*
 * Whether a process that ran a message of the group had to be ended, or crashed, and that is not
 * recorded yet. Until it is, no other process runs messages of the group. NULL: never.
 */
extern bool (*running_mark_unrecorded) (int32 group_id);

/* Around the call of a handler. */
extern void running_begin(int32 group_id, const Message *messages, int n);
extern void running_end(void);

/* Around a series of calls, for n messages from this one on. */
extern void running_series_begins(int32 group_id, const Message *messages, int n);
extern void running_series_ends(void);
extern bool running_in_series(void);

/* A call of a series takes long; called by a signal handler. */
extern void running_slow(void);

/*
 * The handler does not return, so its process is about to be ended: mark that. False if it must
 * not be ended because it is not a worker, or if the handler has just returned. Called by a
 * signal handler.
 */
extern bool running_overran(void);

#endif							/* ORDER_EXT_RUNNING_H */

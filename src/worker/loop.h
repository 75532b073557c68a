/*
 * loop.h
 *		Code common to all background processes: their start and their loop.
 */
#ifndef ORDER_EXT_LOOP_H
#define ORDER_EXT_LOOP_H

#include "compat.h"

#include "utils/timestamp.h"

typedef struct WorkerLoop
{
	const char *activity;		/* shown in pg_stat_activity while busy */
	const char *idle;			/* the wait event while there is nothing to do, on 17 and later */

	/* Whether something has arrived that requires a turn. No transaction. */
	bool		(*wanted) (void);

	/*
	 * One turn, outside of any transaction: everything is set if the wake-up flags may be
	 * incomplete. Returns whether another turn should follow at once; otherwise *next_wakeup is
	 * when one is due at the latest.
	 */
	bool		(*turn) (bool everything, TimestampTz *next_wakeup);

	/* After an error: discard what the turn keeps in memory. May be NULL. */
	void		(*forget) (void);

	/* About to sleep until the given time. May be NULL. */
	void		(*sleeping) (TimestampTz until);

	/* First in each transaction of the message layer. NULL: none. */
	void		(*gate) (void);

	/* Called in every round of the loop: exit if requested. */
	void		(*check_exit) (void);
} WorkerLoop;

/* Set up signals, before anything else in a background process. */
extern void worker_signals(void);

/*
 * Start of a database worker: take the slot, connect as role (0: the bootstrap superuser), and
 * exit quietly if workers should not run in the database.
 */
extern void worker_start(Datum main_arg);

/* check_exit of the database workers. */
extern void worker_check_exit(void);

/* Run turns forever; when idle, it sleeps on the latch and touches nothing. */
pg_noreturn extern void worker_loop(const WorkerLoop *loop);

/* Whether the settings were reread since the last call. */
extern bool worker_reloaded(void);

#endif							/* ORDER_EXT_LOOP_H */

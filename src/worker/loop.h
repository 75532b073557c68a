/*
 * loop.h
 *		What all background processes have in common: their start and their loop.
 */
#ifndef ORDER_EXT_LOOP_H
#define ORDER_EXT_LOOP_H

#include "compat.h"

#include "utils/timestamp.h"

typedef struct WorkerLoop
{
	const char *activity;		/* shown in pg_stat_activity while busy */
	const char *idle;			/* the wait event while there is nothing to do, on 17 and later */

	/* Whether something came in that is worth a turn. No transaction. */
	bool		(*wanted) (void);

	/*
	 * One turn, outside of any transaction: everything is set if the wake-up words may not tell
	 * all there is. Returns whether another turn should follow at once, else *next_wakeup says
	 * when one is due at the latest.
	 */
	bool		(*turn) (bool everything, TimestampTz *next_wakeup);

	/* After an error: forget what the turn keeps in memory. May be NULL. */
	void		(*forget) (void);

	/* About to sleep until then. May be NULL. */
	void		(*sleeping) (TimestampTz until);

	/* First in each transaction of the message layer. NULL: none. */
	void		(*gate) (void);

	/* Called with every round of the loop: exit if that is asked for. */
	void		(*check_exit) (void);
} WorkerLoop;

/* Signals, before anything else in a background process. */
extern void worker_signals(void);

/*
 * Start of a database worker: take the slot, connect as role (0: the bootstrap
 * superuser), leave quietly if the database is not one to work in.
 */
extern void worker_start(Datum main_arg);

/* check_exit of the database workers. */
extern void worker_check_exit(void);

/* Run turns for ever; idle, it sleeps on the latch and touches nothing. */
pg_noreturn extern void worker_loop(const WorkerLoop *loop);

/* The settings were read again since the last call. */
extern bool worker_reloaded(void);

#endif							/* ORDER_EXT_LOOP_H */

/*
 * relief.h
 *		Extra dispatchers while others are held up.
 */
#ifndef ORDER_EXT_RELIEF_H
#define ORDER_EXT_RELIEF_H

#include "worker/shmem.h"

/*
 * The number of a role's extra dispatchers, that is, how many more can be held up before messages
 * of other groups wait.
 */
#define MAX_RELIEF 8

/* Whether the worker is alive and gives no sign of it. Lock held, or the worker is this one's. */
extern bool relief_is_silent(WorkerSlot *worker, TimestampTz now);

/* ---- a dispatcher ---- */

/* From here on, messages that this process leaves waiting are watched. */
extern void relief_watch_me(void);

/* An error has ended what this process was doing. */
extern void relief_forget(void);

/* Exit if this is a relief that has not been needed for some seconds. */
extern void relief_check_exit(void);

/* ---- publishers ---- */

/* The worker has messages of these topics, for which it had none. Raises no error. */
extern void relief_note_topics(WorkerSlot *worker, uint64 topic_bits);

/* ---- the launcher ---- */

/*
 * Whether all of the role's dispatchers, of which there should be count, are held up while
 * messages wait that another one could handle. *ordinal becomes its number.
 */
extern bool relief_needed(DatabaseSlot *db, Oid role, int count, int *ordinal,
						  TimestampTz *next_wakeup);

#endif							/* ORDER_EXT_RELIEF_H */

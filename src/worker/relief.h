/*
 * relief.h
 *		Dispatchers for the time that others are held up.
 */
#ifndef ORDER_EXT_RELIEF_H
#define ORDER_EXT_RELIEF_H

#include "worker/shmem.h"

/* So many dispatchers of a role can be held up before messages of other groups wait, besides
 * those that it has anyway. */
#define MAX_RELIEF 8

/* ---- a dispatcher ---- */

/* From here on, what this process leaves waiting is watched. */
extern void relief_watch_me(void);

/* An error has ended whatever this process was at. */
extern void relief_forget(void);

/* Leave if this is a relief that nobody has needed for some seconds. */
extern void relief_check_exit(void);

/* ---- who publishes ---- */

/* The worker has got messages of these topics, which it had none of. Raises nothing. */
extern void relief_note_topics(WorkerSlot *worker, uint64 topic_bits);

/* ---- the launcher ---- */

/*
 * Whether all of the role's dispatchers, of which there should be count, are held up while
 * messages wait that another one could see to. *ordinal becomes its number.
 */
extern bool relief_needed(DatabaseSlot *db, Oid role, int count, int *ordinal,
						  TimestampTz *next_wakeup);

/* It could not be started: not again for a second. Lock held. */
extern void relief_failed(DatabaseSlot *db, Oid role);

#endif							/* ORDER_EXT_RELIEF_H */

/*
 * care.h
 *		Which workers a database should have: the launcher's turn for each of them.
 */
#ifndef ORDER_EXT_CARE_H
#define ORDER_EXT_CARE_H

#include "worker/shmem.h"

/* What has become of those that were started, which must exit, and who waits for one. */
extern void care_take_stock(DatabaseSlot *db, TimestampTz *next_wakeup);

/*
 * Start what is missing: the scheduler and the dispatchers of the built-in handlers; then those
 * of roles, in all databases, that have work and none, in the order in which they began to wait;
 * then the other dispatchers of roles, and reliefs. *next_wakeup becomes when to try again, at the
 * latest.
 */
extern void care_for_database(DatabaseSlot *db, TimestampTz *next_wakeup);
extern void care_for_waiting(TimestampTz *next_wakeup);
extern void care_for_roles(DatabaseSlot *db, TimestampTz *next_wakeup);

#endif							/* ORDER_EXT_CARE_H */

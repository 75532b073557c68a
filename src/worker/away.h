/*
 * away.h
 *		Roles whose handlers have no dispatcher running, and whether there is work for them.
 */
#ifndef ORDER_EXT_AWAY_H
#define ORDER_EXT_AWAY_H

#include "worker/shmem.h"

/* ---- a dispatcher ---- */

/* The worker exits: its role may have none then. Lock held exclusively. */
extern void away_begins(DatabaseSlot *db, WorkerSlot *worker);

/* ---- publishers ---- */

/* Messages of these topics were published in the database. Raises no error. */
extern void away_note_topics(DatabaseSlot *db, uint64 topic_bits);

/* ---- the launcher ---- */

/*
 * Note which of the database's roles wait for a dispatcher, since there is work for them
 * (RoleEntry.waits_since). *next_wakeup becomes when to look again, at the latest.
 */
extern void away_look(DatabaseSlot *db, TimestampTz *next_wakeup);

/*
 * The role, of any database, that has waited longest, but after *since: its database, with *entry
 * a copy of its entry and *since that moment. NULL if there is none.
 */
extern DatabaseSlot *away_longest(TimestampTz *since, RoleEntry *entry);

#endif							/* ORDER_EXT_AWAY_H */

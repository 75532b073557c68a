/*
 * renewal.h
 *		Restarting workers after changes of settings.
 */
#ifndef ORDER_EXT_RENEWAL_H
#define ORDER_EXT_RENEWAL_H

#include "worker/shmem.h"

/*
 * This transaction changes settings by ALTER DATABASE or ALTER ROLE ... SET for sessions of the
 * database (InvalidOid: all) and the role (InvalidOid: all).
 */
extern void renewal_note(Oid database, Oid role);

/* It has committed: mark the workers concerned. Raises no error and allocates no memory. */
extern void renewal_commit(void);

/* It is over. */
extern void renewal_forget(void);

/*
 * For the launcher: ask marked workers to exit after their current work, or postpone that.
 */
extern void renewal_care(DatabaseSlot *db, TimestampTz *next_wakeup);

#endif							/* ORDER_EXT_RENEWAL_H */

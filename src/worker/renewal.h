/*
 * renewal.h
 *		Settings that workers started with have changed.
 */
#ifndef ORDER_EXT_RENEWAL_H
#define ORDER_EXT_RENEWAL_H

#include "worker/shmem.h"

/*
 * This transaction changes what ALTER DATABASE or ALTER ROLE ... SET says for sessions of the
 * database (InvalidOid: of every one) and the role (InvalidOid: of every one).
 */
extern void renewal_note(Oid database, Oid role);

/* It has committed: mark the workers concerned. Raises nothing, allocates nothing. */
extern void renewal_commit(void);

/* It is over. */
extern void renewal_forget(void);

/*
 * For the launcher: ask marked workers to leave after what they are doing, or put that off.
 */
extern void renewal_care(DatabaseSlot *db, TimestampTz *next_wakeup);

#endif							/* ORDER_EXT_RENEWAL_H */

/*
 * parts.h
 *		The parts in which a group is read: by shard of the key, so that several dispatchers can
 *		work on it while the order of each key is kept.
 *
 * The number of parts changes at a snapshot common to all parts, the barrier: no part reads
 * beyond it, and when all have reached it, the new parts begin there. So a key's next message is
 * read only after the previous ones are finished, whichever dispatcher reads it.
 */
#ifndef ORDER_EXT_PARTS_H
#define ORDER_EXT_PARTS_H

#include "postgres.h"

#include "message/base/catalog.h"
#include "message/log/progress.h"

/*
 * Set a barrier for a group whose number of parts differs from the one that order_ext.workers
 * requires. Called in a worker, outside of a transaction; waits up to timeout_ms for batches in
 * progress. False if that was too short, or if another process is doing the same.
 */
extern bool parts_aim(int32 group_id, int timeout_ms);

/*
 * Keep all processes from reading the group until the end of the transaction: batches in progress
 * have ended, including their bookkeeping.
 */
extern void parts_lock(int32 group_id, int16 parts);

/* The number of parts that order_ext.workers requires. */
extern int16 parts_wanted(void);

/*
 * This part, whose lock we hold, has reached the barrier: if all have, switch to the new parts.
 * False if others have not reached it or are being read.
 */
extern bool parts_switch(const ConsumerGroup *group, const LogSnapshot *barrier);

#endif							/* ORDER_EXT_PARTS_H */

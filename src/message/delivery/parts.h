/*
 * parts.h
 *		In how many parts a group is read: by shard of the key, so that several dispatchers
 *		work on it while the order of each key holds.
 *
 * The number changes at a snapshot that all parts have in common, the barrier: no part reads
 * beyond it, and when all have come that far, the new parts begin there. So a key's next
 * message is read when the ones before it are done with, whoever reads it.
 */
#ifndef ORDER_EXT_PARTS_H
#define ORDER_EXT_PARTS_H

#include "postgres.h"

#include "message/base/catalog.h"
#include "message/log/progress.h"

/*
 * Set a barrier for a group whose number of parts is not the one that order_ext.workers
 * asks for. In a worker, outside of a transaction; waits up to timeout_ms for the batches
 * in flight. False if that was too short, or somebody else is at it.
 */
extern bool parts_aim(int32 group_id, int timeout_ms);

/*
 * Keep everybody from reading the group until the end of the transaction: a batch in flight,
 * and what it still puts away, is over.
 */
extern void parts_lock(int32 group_id, int16 parts);

/* The number of parts that order_ext.workers asks for. */
extern int16 parts_wanted(void);

/*
 * This part, whose lock we hold, has come to the barrier: if all have, begin with the new
 * parts. False if others are still on their way or at work.
 */
extern bool parts_switch(const ConsumerGroup *group, const LogSnapshot *barrier);

#endif							/* ORDER_EXT_PARTS_H */

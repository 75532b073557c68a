/*
 * batch.h
 *		The batch of messages passed to a handler.
 */
#ifndef ORDER_EXT_BATCH_H
#define ORDER_EXT_BATCH_H

#include "core/locks.h"
#include "message/message.h"

/* The keys of a batch. */
extern int64 *batch_keys(const Message *messages, int n);

/*
 * Take the locks of a batch's keys, as lock_try_all() does; returns the keys whose locks
 * were taken. The messages of the others are marked busy.
 */
extern int64 *batch_lock(LockClass lock_class, Message *messages, int n, int *n_locked);

/* Mark the messages where busy is set: they are delivered again soon. */
extern void batch_mark_busy(Message *messages, int n, const bool *busy);

#endif							/* ORDER_EXT_BATCH_H */

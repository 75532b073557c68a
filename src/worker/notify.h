/*
 * notify.h
 *		Notifying workers and waiting clients at commit.
 */
#ifndef ORDER_EXT_NOTIFY_H
#define ORDER_EXT_NOTIFY_H

#include "postgres.h"

#include "utils/timestamp.h"

/*
 * This transaction has committed and published to the topics of these bits (message/base/wake.h),
 * or armed timers, the earliest of which is due at earliest_due: wake the processes that wait for
 * that in this database. With database set, its workers are started or check everything again.
 * Called from the commit callback: raises no error and allocates no memory. Does nothing without
 * preload.
 */
extern void worker_notify(uint64 topic_bits, bool timers, TimestampTz earliest_due,
						  bool database);

#endif							/* ORDER_EXT_NOTIFY_H */

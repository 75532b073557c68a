/*
 * dispatch.h
 *		The dispatcher's turn: what a background worker calls in its loop.
 */
#ifndef ORDER_EXT_DISPATCH_H
#define ORDER_EXT_DISPATCH_H

#include "postgres.h"

#include "utils/timestamp.h"

/*
 * Run due retries, and one batch of every group whose topic is in topic_bits (see
 * wake.h) or that had more at the last turn. Starts and commits its own transactions;
 * call it outside of one, from a process whose session user is a superuser. Returns
 * whether there is more to do at once. *next_wakeup becomes the time by which it should
 * be called again without being woken (retries, groups busy elsewhere), DT_NOEND if none.
 * *messages is increased by the messages handled, *batches by the batches run.
 *
 * An error in a handler is kept with its message and does not come out of here; what
 * does come out (out of memory, a broken table) leaves no transaction open behind it if
 * the caller aborts the current one, as a background worker's main loop does.
 */
extern bool dispatcher_turn(uint64 topic_bits, TimestampTz *next_wakeup,
							int64 *messages, int64 *batches);

#endif							/* ORDER_EXT_DISPATCH_H */

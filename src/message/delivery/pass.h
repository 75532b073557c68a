/*
 * pass.h
 *		One pass of a consumer group: a batch of messages is read, handled and recorded,
 *		all in the current (sub)transaction.
 */
#ifndef ORDER_EXT_PASS_H
#define ORDER_EXT_PASS_H

#include "postgres.h"

#include "message/delivery/pass_state.h"

/* The next slice of the log, and more of them while it may go on. */
extern void pass_window(Pass *pass);

/* Retries that are due at now. */
extern void pass_retries(Pass *pass, TimestampTz now);

/*
 * Messages of this transaction: those with these ids (ascending), of the group's topic, picked for
 * this part of so many. If the group is read in another number, nothing is done but switched set.
 */
extern void pass_inline(Pass *pass, int16 parts, const int64 *ids, int n);

/*
 * Messages that this transaction has just published: all of those of the group's topic that
 * belong to this part of so many, in the order of their ids. Nothing is done, and false is
 * returned, unless the group is read in that many parts and they are the next ones of this part;
 * otherwise they are handled, and count as read along with the rest of this transaction. Also
 * false, and the subtransaction to be rolled back, if not all of them could be handled.
 */
extern bool pass_handed_on(Pass *pass, int16 parts, const Message *messages, int n);

/*
 * Whether the log has something for the group; *locked is set if another process is working on
 * it, so that it is not available now. Takes no lock and writes nothing; needs a snapshot.
 */
extern bool pass_has_messages(const ConsumerGroup *group, bool *locked);

#endif							/* ORDER_EXT_PASS_H */

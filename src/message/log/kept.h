/*
 * kept.h
 *		Messages that a worker's transaction publishes, kept in memory so that it can hand them on
 *		to their built-in consumers itself.
 */
#ifndef ORDER_EXT_LOG_KEPT_H
#define ORDER_EXT_LOG_KEPT_H

#include "postgres.h"

#include "message/base/types.h"
#include "message/log/shard.h"

/*
 * From here to the end of the transaction, or to kept_end(): keep what is appended to topics that
 * are wanted. To be called before anything is published.
 */
extern void kept_begin(bool (*wanted) (int32 topic_id));
extern void kept_end(void);

/*
 * Called for each row that is appended, which is copied. True if it is kept: waking its readers is
 * up to the keeper.
 */
extern bool kept_note(const Message *message);

/* All messages kept so far. Valid until the next one is published. */
extern int	kept_messages(const Message **messages);

/* Forget all but the first n, after a subtransaction's abort. */
extern void kept_truncate(int n);

/*
 * What this transaction published to a part of the topic counts as read by its group: publishing
 * more of it in this transaction would be lost, and raises 40001 from now on.
 */
extern void kept_close(int32 topic_id, const LogPart *part);

/* Called before a row is appended. */
extern void kept_refuse_closed(int32 topic_id, int64 key);

#endif							/* ORDER_EXT_LOG_KEPT_H */

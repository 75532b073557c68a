/*
 * dedup_free.h
 *		Keys that are free again before their window ends, since nobody will get their message: it
 *		was canceled, or every consumer group of the topic has given it up.
 *
 * As the owner, where nothing else is said.
 */
#ifndef ORDER_EXT_DEDUP_FREE_H
#define ORDER_EXT_DEDUP_FREE_H

#include "postgres.h"

#include "utils/array.h"

/* The message will not be delivered. */
extern void dedup_free_canceled(int64 message_id);

/* The group will not run the message again unless an operator says so. As any role. */
extern void dedup_free_given_up(int32 topic_id, int32 group_id, int64 message_id);

/*
 * The group may get these messages again; message_ids is a bigint[]. Waits for a publisher that is
 * about to take one of their keys; afterwards a new statement sees in dedup_taken which are taken.
 */
extern void dedup_free_no_more(int32 group_id, Datum message_ids);

/* A new message has the key of this one, which must not come back. */
extern void dedup_free_taken(int32 topic_id, int64 message_id);

#endif							/* ORDER_EXT_DEDUP_FREE_H */

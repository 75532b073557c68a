/*
 * append.h
 *		Appending to the message log.
 *
 * Prefixes: message_, log_
 */
#ifndef ORDER_EXT_LOG_APPEND_H
#define ORDER_EXT_LOG_APPEND_H

#include "postgres.h"

#include "utils/jsonb.h"
#include "utils/timestamp.h"

/* A message to be published; message_id is filled in by message_publish. */
typedef struct MessageDraft
{
	int32		topic_id;
	int64		key;
	Jsonb	   *payload;
	int64		message_id;
} MessageDraft;

/*
 * Append messages to the log, in the caller's transaction; the workers wake at its
 * commit. No checks of topic or payload size: the SQL function publish() does those.
 */
extern void message_publish(MessageDraft *drafts, int n);

/*
 * The same, but not delivered by a dispatch() in progress in this transaction: for work that must
 * be done only after this transaction has committed. Not for topics that are handed on.
 */
extern void message_publish_for_later(MessageDraft *drafts, int n);

/* A row to be appended that already has its id and time (a timer that fires). */
typedef struct LogEntry
{
	int64		message_id;
	int32		topic_id;
	int64		key;
	Jsonb	   *payload;
	TimestampTz published_at;
} LogEntry;

/*
 * Append rows to the log under this transaction's id, keeping message_id and
 * published_at, and note their topics for the wake-up.
 */
extern void log_append_with_ids(const LogEntry *entries, int n);

/* The next message id; increasing within a backend. */
extern int64 log_next_message_id(void);

#endif							/* ORDER_EXT_LOG_APPEND_H */

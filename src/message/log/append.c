/*
 * append.c
 *		Appending to the message log; see append.h.
 */
#include "compat.h"

#include "access/detoast.h"
#include "access/transam.h"
#include "access/xact.h"
#include "commands/sequence.h"
#include "utils/timestamp.h"
#include "utils/xid8.h"

#include "core/append.h"
#include "core/internal.h"
#include "message/base/wake.h"
#include "message/log/append.h"
#include "message/log/capture.h"
#include "message/log/kept.h"
#include "message/log/segments.h"
#include "message/log/shard.h"

int64
log_next_message_id(void)
{
	return nextval_internal(internal_relation("message_id_seq"), false);
}

/* Who reads the message is woken at commit, unless it is handed on until then. */
static void
note_reader(const LogEntry *entry)
{
	Message		message = {
		.id = entry->message_id,
		.topic_id = entry->topic_id,
		.key = entry->key,
		.payload = entry->payload,
		.attempt = 1,
		.published_at = entry->published_at,
		.outcome = MESSAGE_DONE
	};

	if (!kept_note(&message))
		wake_note_topic(entry->topic_id);
}

void
log_append_with_ids(const LogEntry *entries, int n)
{
	uint64		xid = U64FromFullTransactionId(GetTopFullTransactionId());
	char		table[NAMEDATALEN];
	Appender   *appender;
	Datum		values[LOG_COLUMNS];
	int			i;

	if (n == 0)
		return;
	snprintf(table, sizeof(table), "message_log_%d", log_current_segment());
	appender = append_open(table);
	append_in_order(appender);
	for (i = 0; i < n; i++)
		kept_refuse_closed(entries[i].topic_id, entries[i].key);
	for (i = 0; i < n; i++)
	{
		const LogEntry *entry = &entries[i];
		LogAppended appended = {
			.topic_id = entry->topic_id,
			.shard = log_shard(entry->key),
			.message_id = entry->message_id,
			.bytes = toast_raw_datum_size(JsonbPGetDatum(entry->payload))
		};

		values[LOG_MESSAGE_ID - 1] = Int64GetDatum(entry->message_id);
		values[LOG_XID - 1] = UInt64GetDatum(xid);
		values[LOG_KEY - 1] = Int64GetDatum(entry->key);
		values[LOG_PUBLISHED_AT - 1] = TimestampTzGetDatum(entry->published_at);
		values[LOG_TOPIC_ID - 1] = Int32GetDatum(entry->topic_id);
		values[LOG_SHARD - 1] = Int16GetDatum(appended.shard);
		values[LOG_PAYLOAD - 1] = append_compressed(appender, LOG_PAYLOAD,
													JsonbPGetDatum(entry->payload));
		append_row(appender, values, NULL);
		note_reader(entry);
		log_capture_note(&appended);
	}
	append_close(appender);
}

void
message_publish(MessageDraft *drafts, int n)
{
	LogEntry   *entries = palloc(sizeof(LogEntry) * Max(n, 1));
	TimestampTz now = GetCurrentTimestamp();
	int			i;

	for (i = 0; i < n; i++)
	{
		drafts[i].message_id = log_next_message_id();
		entries[i].message_id = drafts[i].message_id;
		entries[i].topic_id = drafts[i].topic_id;
		entries[i].key = drafts[i].key;
		entries[i].payload = drafts[i].payload;
		entries[i].published_at = now;
	}
	log_append_with_ids(entries, n);
	pfree(entries);
}

/* dispatch() delivers the ids it has noted; the rest waits until the log is read. */
void
message_publish_for_later(MessageDraft *drafts, int n)
{
	const LogAppended *ignored;
	int			noted = log_captured(&ignored);

	message_publish(drafts, n);
	log_capture_truncate(noted);
}

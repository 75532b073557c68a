/*
 * log_append.c
 *		Appending to the message log, and noting what was appended; see log.h.
 */
#include "compat.h"

#include "access/xact.h"
#include "commands/sequence.h"
#include "storage/lmgr.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "core/append.h"
#include "message/catalog.h"
#include "message/log.h"
#include "message/log_columns.h"
#include "message/wake.h"

/* What dispatch() wants to know of: the ids appended since it began. */
static MemoryContext capture_context = NULL;
static LogAppended *captured = NULL;
static int	n_captured = 0;
static int	captured_room = 0;

/* ---- appending ---- */

int
log_current_segment(void)
{
	return ring_state(RING_LOG)->current;
}

void
log_hold_segments(void)
{
	char		name[NAMEDATALEN];
	int			i;

	for (i = 0; i < LOG_SEGMENTS; i++)
	{
		snprintf(name, sizeof(name), "message_log_%d", i);
		LockRelationOid(internal_relation(name), AccessShareLock);
	}
}

int16
log_shard(int64 key)
{
	uint64		hash = (uint64) key;

	/* stored in rows, hence a function of our own that no server version changes */
	hash ^= hash >> 33;
	hash *= UINT64CONST(0xff51afd7ed558ccd);
	hash ^= hash >> 33;
	hash *= UINT64CONST(0xc4ceb9fe1a85ec53);
	hash ^= hash >> 33;
	return (int16) (hash & 255);
}

bool
log_part_has(const LogPart *part, int64 key)
{
	return part->parts == 1 || log_shard(key) % part->parts == part->part;
}

int64
log_next_message_id(void)
{
	return nextval_internal(internal_relation("message_id_seq"), false);
}

static void
capture(int32 topic_id, int64 message_id)
{
	if (capture_context == NULL)
		return;
	if (n_captured == captured_room)
	{
		captured_room = Max(captured_room * 2, 256);
		if (captured == NULL)
			captured = MemoryContextAllocHuge(capture_context, sizeof(LogAppended) * captured_room);
		else
			captured = repalloc_huge(captured, sizeof(LogAppended) * captured_room);
	}
	captured[n_captured].topic_id = topic_id;
	captured[n_captured].message_id = message_id;
	n_captured++;
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
	for (i = 0; i < n; i++)
	{
		const LogEntry *entry = &entries[i];

		values[LOG_MESSAGE_ID - 1] = Int64GetDatum(entry->message_id);
		values[LOG_XID - 1] = UInt64GetDatum(xid);
		values[LOG_KEY - 1] = Int64GetDatum(entry->key);
		values[LOG_PUBLISHED_AT - 1] = TimestampTzGetDatum(entry->published_at);
		values[LOG_TOPIC_ID - 1] = Int32GetDatum(entry->topic_id);
		values[LOG_SHARD - 1] = Int16GetDatum(log_shard(entry->key));
		values[LOG_PAYLOAD - 1] = JsonbPGetDatum(entry->payload);
		append_row(appender, values, NULL);
		wake_note_topic(entry->topic_id);
		capture(entry->topic_id, entry->message_id);
	}
	append_close(appender);
}

/* ---- capture ---- */

void
log_capture_begin(MemoryContext context)
{
	capture_context = context;
	captured = NULL;
	n_captured = 0;
	captured_room = 0;
}

void
log_capture_end(void)
{
	log_capture_begin(NULL);
}

int
log_captured(const LogAppended **appended)
{
	*appended = captured;
	return n_captured;
}

void
log_capture_truncate(int n)
{
	if (n < n_captured)
		n_captured = n;
}

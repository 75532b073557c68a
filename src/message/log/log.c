/*
 * log.c
 *		Reading the message log; see log.h.
 *
 * It reads the primary keys of the segments directly, without the planner: the access path must
 * never depend on statistics of tables that are empty in one minute and have ten million rows in
 * the next.
 */
#include "compat.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/sequence.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "utils/fmgroids.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/xid8.h"

#include "core/index_estimate.h"
#include "core/internal.h"
#include "message/base/limits.h"
#include "message/log/log.h"
#include "message/log/log_scan.h"
#include "message/log/segments.h"

/* The columns of the key. */
#define KEY_TOPIC_ID 1
#define KEY_XID 2
#define KEY_MESSAGE_ID 3

/* One range of the key, in all segments at once. */
typedef struct RangeScan
{
	LogScan		segments[RING_SEGMENTS];	/* each at its next row; row is NULL at its end */
} RangeScan;

typedef struct LogReader
{
	Relation	rel[RING_SEGMENTS]; /* NULL if the segment is empty */
	Relation	index[RING_SEGMENTS];
	Snapshot	snapshot;
	LogRow	   *rows;
	int			n;
	int			limit;
	Size		room;			/* bytes of payload that may still be read */
	LogPart		part;
	int64		passed;			/* rows of other parts */
	int64		may_pass;
	LogPosition last;
	LogCount   *count;			/* what is known of rows that are only counted, or NULL */
} LogReader;

#define ALL_SEGMENTS (-1)

static void
reader_open(LogReader *reader, LogRow *rows, int limit, int only_segment)
{
	char		name[NAMEDATALEN];
	int			i;

	for (i = 0; i < RING_SEGMENTS; i++)
	{
		reader->rel[i] = NULL;
		if (only_segment != ALL_SEGMENTS && only_segment != i)
			continue;
		snprintf(name, sizeof(name), "message_log_%d", i);
		reader->rel[i] = table_open(internal_relation(name), AccessShareLock);
		if (RelationGetNumberOfBlocks(reader->rel[i]) == 0)
		{
			/* nothing that our snapshot can see */
			table_close(reader->rel[i], AccessShareLock);
			reader->rel[i] = NULL;
			continue;
		}
		snprintf(name, sizeof(name), "message_log_%d_pkey", i);
		reader->index[i] = index_open(internal_relation(name), AccessShareLock);
	}
	reader->snapshot = GetActiveSnapshot();
	reader->rows = rows;
	reader->n = 0;
	reader->limit = limit;
	reader->room = BATCH_BYTES;
	reader->part.part = 0;
	reader->part.parts = 1;
	reader->passed = 0;
	memset(&reader->last, 0, sizeof(reader->last));
	reader->count = NULL;
	reader->may_pass = (int64) limit * PASSED_PER_ROW;
}

/* The payloads count, too: a batch is held in memory as a whole. */
static bool
reader_is_full(const LogReader *reader)
{
	return reader->n >= reader->limit || reader->room == 0 || reader->passed >= reader->may_pass;
}

/*
 * The locks are not kept: a segment is truncated only after all groups are past it, which we are
 * only after our transaction has committed; otherwise a busy reader would always prevent that.
 */
static void
reader_close(LogReader *reader)
{
	int			i;

	for (i = 0; i < RING_SEGMENTS; i++)
	{
		if (reader->rel[i] == NULL)
			continue;
		index_close(reader->index[i], AccessShareLock);
		table_close(reader->rel[i], AccessShareLock);
	}
}

static void
range_begin(LogReader *reader, RangeScan *range, ScanKeyData *keys, int nkeys)
{
	int			i;

	for (i = 0; i < RING_SEGMENTS; i++)
	{
		range->segments[i].row = NULL;
		if (reader->rel[i] != NULL)
			log_scan_begin(&range->segments[i], reader->rel[i], reader->index[i],
						   reader->snapshot, &reader->part, keys, nkeys);
	}
}

static void
range_end(LogReader *reader, RangeScan *range)
{
	int			i;

	for (i = 0; i < RING_SEGMENTS; i++)
	{
		if (reader->rel[i] != NULL)
			log_scan_end(&range->segments[i]);
	}
}

static bool
comes_before(const LogScanColumns *left, const LogScanColumns *right)
{
	return left->xid < right->xid ||
		(left->xid == right->xid && left->message_id < right->message_id);
}

/* The segment whose next row comes first; NULL at the end. */
static LogScan *
range_first(RangeScan *range)
{
	LogScan    *first = NULL;
	int			i;

	for (i = 0; i < RING_SEGMENTS; i++)
	{
		LogScan    *segment = &range->segments[i];

		if (segment->row != NULL && (first == NULL || comes_before(segment->row, first->row)))
			first = segment;
	}
	return first;
}

static LogPosition
position_of(const LogScan *segment)
{
	LogPosition at = {.xid = segment->row->xid, .message_id = segment->row->message_id};

	return at;
}

static void
count_row(LogReader *reader, const LogScan *segment)
{
	LogCount   *count = reader->count;

	if (count != NULL)
	{
		LogPosition at = position_of(segment);

		if (count->is_behind != NULL && count->is_behind(count->arg, &at))
			return;
		count->oldest = Min(count->oldest, segment->row->published_at);
	}
	reader->n++;
}

static void
take_row(LogReader *reader, LogScan *segment)
{
	LogRow	   *row;

	if (reader->rows == NULL)	/* they are only counted */
	{
		count_row(reader, segment);
		return;
	}
	row = &reader->rows[reader->n++];
	row->at = position_of(segment);
	row->message.id = row->at.message_id;
	row->message.topic_id = segment->row->topic_id;
	row->message.key = segment->row->key;
	row->message.payload = log_scan_payload(segment);
	row->message.attempt = 1;
	row->message.published_at = segment->row->published_at;
	row->message.outcome = MESSAGE_DONE;
	reader->room -= Min(reader->room, VARSIZE(row->message.payload));
}

/*
 * Read the rows of a range that are visible in the snapshot (NULL: all), up to the reader's limit.
 */
static void
read_range(LogReader *reader, ScanKeyData *keys, int nkeys, const LogSnapshot *visible_in)
{
	RangeScan	range;
	LogScan    *segment;

	if (reader_is_full(reader))
		return;
	range_begin(reader, &range, keys, nkeys);
	while (!reader_is_full(reader) && (segment = range_first(&range)) != NULL)
	{
		if (visible_in == NULL || snapshot_sees(visible_in, segment->row->xid))
		{
			reader->last = position_of(segment);
			if (segment->is_ours)
				take_row(reader, segment);
			else
				reader->passed++;
		}
		if (!reader_is_full(reader))
			log_scan_next(segment);
	}
	range_end(reader, &range);
}

static void
key_topic(ScanKeyData *key, int32 topic_id)
{
	ScanKeyInit(key, KEY_TOPIC_ID, BTEqualStrategyNumber, F_INT4EQ, Int32GetDatum(topic_id));
}

static void
key_xid(ScanKeyData *key, StrategyNumber strategy, RegProcedure comparison, uint64 xid)
{
	ScanKeyInit(key, KEY_XID, strategy, comparison, UInt64GetDatum(xid));
}

/* All rows of one transaction after a message id (0: all). */
static void
read_transaction(LogReader *reader, int32 topic_id, uint64 xid, int64 after_id,
				 const LogSnapshot *visible_in)
{
	ScanKeyData keys[3];

	key_topic(&keys[0], topic_id);
	key_xid(&keys[1], BTEqualStrategyNumber, F_XID8EQ, xid);
	ScanKeyInit(&keys[2], KEY_MESSAGE_ID, BTGreaterStrategyNumber, F_INT8GT,
				Int64GetDatum(after_id));
	read_range(reader, keys, lengthof(keys), visible_in);
}

/* Rows of transactions with from <= xid < to. */
static void
read_transactions(LogReader *reader, int32 topic_id, uint64 from, uint64 to,
				  const LogSnapshot *visible_in)
{
	ScanKeyData keys[3];

	if (from >= to)
		return;
	key_topic(&keys[0], topic_id);
	key_xid(&keys[1], BTGreaterEqualStrategyNumber, F_XID8GE, from);
	key_xid(&keys[2], BTLessStrategyNumber, F_XID8LT, to);
	read_range(reader, keys, lengthof(keys), visible_in);
}

/*
 * The window is read in the order (xid, message_id): first the transactions that were still
 * running in done and have ended in reading, one by one (a scan from the oldest of them would
 * reread everything behind us again and again as long as one old transaction is open), then those
 * that began after done.
 */
int
log_read_window(LogWindow *window, int limit, LogRow *rows)
{
	LogReader	reader;
	int32		topic_id = window->topic_id;
	const LogSnapshot *done = window->done;
	const LogSnapshot *reading = window->reading;
	const LogPosition *after = window->after;
	uint64		after_xid = after != NULL ? after->xid : 0;
	int			i;

	reader_open(&reader, rows, limit, ALL_SEGMENTS);
	reader.part = window->part;
	for (i = 0; i < done->nxip; i++)
	{
		uint64		xid = done->xip[i];

		if (xid >= after_xid && snapshot_sees(reading, xid))
			read_transaction(&reader, topic_id, xid,
							 xid == after_xid ? after->message_id : 0, reading);
	}
	if (after_xid >= done->xmax)
	{
		read_transaction(&reader, topic_id, after_xid, after->message_id, reading);
		read_transactions(&reader, topic_id, after_xid + 1, reading->xmax, reading);
	}
	else
		read_transactions(&reader, topic_id, done->xmax, reading->xmax, reading);
	reader_close(&reader);
	window->at_end = !reader_is_full(&reader);
	window->passed = reader.passed;
	window->last = reader.last;
	return reader.n;
}

/*
 * Within an open window: first the transactions that were running in done or in reading, one by
 * one, then those after the position or, if there is none, after done. Everything else before the
 * position is behind.
 */
static int
count_waiting(int segment, const LogWindow *window, int limit, LogCount *count)
{
	LogReader	reader;
	int32		topic_id = window->topic_id;
	const LogSnapshot *done = window->done;
	const LogSnapshot *reading = window->reading;
	const LogPosition *after = window->after;
	uint64		from = done->xmax;
	int			i;

	reader_open(&reader, NULL, limit, segment);
	reader.part = window->part;
	reader.may_pass = PG_INT64_MAX;
	reader.count = count;
	for (i = 0; i < done->nxip; i++)
	{
		uint64		xid = done->xip[i];
		bool		read = after != NULL && snapshot_sees(reading, xid);

		if (!read || xid >= after->xid)
			read_transaction(&reader, topic_id, xid,
							 read && xid == after->xid ? after->message_id : 0, NULL);
	}
	if (after != NULL && after->xid >= done->xmax)
	{
		for (i = 0; i < reading->nxip; i++)
		{
			if (reading->xip[i] >= done->xmax && reading->xip[i] < after->xid)
				read_transaction(&reader, topic_id, reading->xip[i], 0, NULL);
		}
		read_transaction(&reader, topic_id, after->xid, after->message_id, NULL);
		from = after->xid + 1;
	}
	read_transactions(&reader, topic_id, from, PG_UINT64_MAX, NULL);
	reader_close(&reader);
	return reader.n;
}

int
log_count_waiting(const LogWindow *window, int limit, LogCount *count)
{
	return count_waiting(ALL_SEGMENTS, window, limit, count);
}

int64
log_estimate_waiting(const LogWindow *window)
{
	IndexRange	range = {.columns = 3, .first = window->topic_id};
	LogReader	reader;
	int64		n = 0;
	int			i;

	/* what was running in done is left out: a handful of transactions */
	range.after_second = window->done->xmax - 1;
	range.after_third = PG_INT64_MAX;
	if (window->after != NULL && window->after->xid >= window->done->xmax)
	{
		range.after_second = window->after->xid;
		range.after_third = window->after->message_id;
	}
	reader_open(&reader, NULL, 0, ALL_SEGMENTS);
	for (i = 0; i < RING_SEGMENTS; i++)
	{
		if (reader.rel[i] != NULL)
			n += index_estimate(reader.index[i], &range);
	}
	reader_close(&reader);
	return n / window->part.parts;
}

bool
log_segment_waiting(int segment, const LogWindow *window)
{
	return count_waiting(segment, window, 1, NULL) > 0;
}

static bool
is_among(const int64 *ids, int n, int64 id)
{
	int			low = 0;
	int			high = n;

	while (low < high)
	{
		int			middle = low + (high - low) / 2;

		if (ids[middle] < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low < n && ids[low] == id;
}

int
log_read_own(int32 topic_id, const int64 *ids, int n, LogRow *rows)
{
	LogReader	reader;
	RangeScan	range;
	ScanKeyData keys[4];
	LogScan    *segment;

	if (n == 0)
		return 0;
	reader_open(&reader, rows, n, ALL_SEGMENTS);
	key_topic(&keys[0], topic_id);
	key_xid(&keys[1], BTEqualStrategyNumber, F_XID8EQ,
			U64FromFullTransactionId(GetTopFullTransactionId()));
	ScanKeyInit(&keys[2], KEY_MESSAGE_ID, BTGreaterEqualStrategyNumber, F_INT8GE,
				Int64GetDatum(ids[0]));
	ScanKeyInit(&keys[3], KEY_MESSAGE_ID, BTLessEqualStrategyNumber, F_INT8LE,
				Int64GetDatum(ids[n - 1]));
	range_begin(&reader, &range, keys, lengthof(keys));
	while (reader.n < n && (segment = range_first(&range)) != NULL)
	{
		if (is_among(ids, n, segment->row->message_id))
			take_row(&reader, segment);
		log_scan_next(segment);
	}
	range_end(&reader, &range);
	reader_close(&reader);
	return reader.n;
}

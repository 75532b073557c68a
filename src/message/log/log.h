/*
 * log.h
 *		The message log: appending to its current segment, and reading the slice of it
 *		that lies between two snapshots.
 */
#ifndef ORDER_EXT_LOG_H
#define ORDER_EXT_LOG_H

#include "postgres.h"

#include "access/transam.h"
#include "utils/jsonb.h"
#include "utils/snapshot.h"
#include "utils/timestamp.h"

#include "message/message.h"


/* A row to be appended that already has its id and its time (a timer that fires). */
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

/* The segment that is appended to, of attempts as well. */
extern int	log_current_segment(void);

/* Keep all segments from being truncated until the end of the transaction. */
extern void log_hold_segments(void);

/* The shard of a key, 0 to 255. */
extern int16 log_shard(int64 key);

/* ---- snapshots, as stored in pg_snapshot columns ---- */

typedef struct LogSnapshot
{
	uint64		xmin;
	uint64		xmax;
	int			nxip;			/* in progress between xmin and xmax */
	uint64	   *xip;			/* ascending */
} LogSnapshot;

/* To and from the SQL type; results are in CurrentMemoryContext. */
extern LogSnapshot *log_snapshot_from_datum(Datum pg_snapshot);
extern LogSnapshot *log_snapshot_from_text(const char *text);
extern Datum log_snapshot_to_datum(const LogSnapshot *snapshot);

/* The text form of a pg_snapshot. */
extern char *log_snapshot_text(Datum pg_snapshot);

/*
 * The active snapshot, with this transaction's own id (if it has one) among those in
 * progress: what we publish ourselves is not yet behind anybody.
 */
extern LogSnapshot *log_snapshot_active(void);

/* Whether the two say the same. */
extern bool log_snapshots_equal(const LogSnapshot *a, const LogSnapshot *b);

/* Whether a transaction's rows are visible in the snapshot. */
extern bool log_snapshot_sees(const LogSnapshot *snapshot, uint64 xid);

/* ---- reading ---- */

/* A place in a window's order: (xid, message_id). */
typedef struct LogPosition
{
	uint64		xid;
	int64		message_id;
} LogPosition;

/* The messages of a part: those with shard % parts = part. */
typedef struct LogPart
{
	int16		part;
	int16		parts;
} LogPart;

/* All messages, as one part. */
extern const LogPart log_all_parts;

/* Whether the key's messages are the part's. */
extern bool log_part_has(const LogPart *part, int64 key);

typedef struct LogRow
{
	Message		message;		/* attempt 1; payload in CurrentMemoryContext */
	LogPosition at;
} LogRow;

/*
 * A slice of a topic's window: the rows of a part that are visible in reading and not in
 * done, after the position (NULL: from the start), in the window's order.
 */
typedef struct LogWindow
{
	int32		topic_id;
	LogPart		part;
	const LogSnapshot *done;
	const LogSnapshot *reading;
	const LogPosition *after;

	/* results */
	bool		at_end;			/* the window is read to its end */
	int64		passed;			/* rows of other parts among them */
	LogPosition last;			/* the last row that was looked at, whosever it is */
} LogWindow;

/*
 * Read a slice: at most limit rows, fewer where the payloads are large or other parts have
 * many rows in between. Returns their number. Rows of the current transaction are not among
 * them. Needs an active snapshot not older than reading.
 */
extern int	log_read_window(LogWindow *window, int limit, LogRow *rows);

/*
 * Count the rows of a part that are visible in the active snapshot, our own included, and
 * not behind its reader: not visible in done, and not both visible in reading (if that is not
 * NULL) and up to the position. Counts no further than limit.
 */
extern int	log_count_waiting(const LogWindow *window, int limit);

/* The same of one segment: whether there is any. */
extern bool log_segment_waiting(int segment, const LogWindow *window);

/*
 * Read rows of a topic that this transaction itself published: those whose ids are
 * among ids[0..n) (ascending), in id order. Returns their number (rows that were rolled
 * back with a subtransaction are missing).
 */
extern int	log_read_own(int32 topic_id, const int64 *ids, int n, LogRow *rows);

/* ---- what this transaction appends while dispatch() runs in it ---- */

typedef struct LogAppended
{
	int32		topic_id;
	int16		shard;
	int64		message_id;
} LogAppended;

/* Start (in the given context) and stop noting the ids that are appended. */
extern void log_capture_begin(MemoryContext context);
extern void log_capture_end(void);

/* Note a row that is appended, if this is on. */
extern void log_capture_note(const LogEntry *entry);

/* What was noted so far; forget all but the first n (after a subtransaction's abort). */
extern int	log_captured(const LogAppended **appended);
extern void log_capture_truncate(int n);

#endif							/* ORDER_EXT_LOG_H */

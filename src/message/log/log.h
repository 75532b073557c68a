/*
 * log.h
 *		Reading the message log: the slice of it that lies between two snapshots.
 */
#ifndef ORDER_EXT_LOG_H
#define ORDER_EXT_LOG_H

#include "postgres.h"

#include "core/snapshots.h"
#include "message/base/types.h"
#include "message/log/shard.h"

/* A place in a window's order: (xid, message_id). */
typedef struct LogPosition
{
	uint64		xid;
	int64		message_id;
} LogPosition;

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
	bool		at_end;			/* the window has been read to its end */
	int64		passed;			/* rows of other parts among them */
	LogPosition last;			/* the last row that was read, of any part */
} LogWindow;

/*
 * Read a slice: at most limit rows, fewer if the payloads are large or other parts have many rows
 * in between. Returns their number. Rows of the current transaction are not among them. Needs an
 * active snapshot not older than reading.
 */
extern int	log_read_window(LogWindow *window, int limit, LogRow *rows);

/* More about rows that are counted. */
typedef struct LogCount
{
	/* rows that are behind the reader although the window does not show it; NULL: none */
	bool		(*is_behind) (void *arg, const LogPosition *at);
	void	   *arg;
	TimestampTz oldest;			/* result: the lowest of this and the times they were published */
} LogCount;

/*
 * Count the rows of a part that are visible in the active snapshot, our own included, and
 * not behind its reader: not visible in done, and not both visible in reading (if that is not
 * NULL) and up to the position. Counts no further than limit. count may be NULL.
 */
extern int	log_count_waiting(const LogWindow *window, int limit, LogCount *count);

/* The same, estimated from a few pages of the index; rows that were rolled back count, too. */
extern int64 log_estimate_waiting(const LogWindow *window);

/* The same for one segment: whether there are any. */
extern bool log_segment_waiting(int segment, const LogWindow *window);

/*
 * Read rows of a topic that this transaction itself published: those whose ids are
 * among ids[0..n) (ascending), in id order. Returns their number (rows that were rolled
 * back with a subtransaction are missing).
 */
extern int	log_read_own(int32 topic_id, const int64 *ids, int n, LogRow *rows);

#endif							/* ORDER_EXT_LOG_H */

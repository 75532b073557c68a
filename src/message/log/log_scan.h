/*
 * log_scan.h
 *		The rows of one segment of the log within a range of its key, in order. Private to log.c.
 */
#ifndef ORDER_EXT_LOG_SCAN_H
#define ORDER_EXT_LOG_SCAN_H

#include "postgres.h"

#include "access/htup.h"
#include "access/relscan.h"
#include "access/skey.h"
#include "storage/buf.h"
#include "utils/jsonb.h"
#include "utils/relcache.h"
#include "utils/snapshot.h"

#include "message/log/shard.h"

/* The columns of message_log_N before the payload, as they are stored. */
typedef struct LogScanColumns
{
	int64		message_id;
	uint64		xid;
	int64		key;
	TimestampTz published_at;
	int32		topic_id;
	int16		shard;
} LogScanColumns;

typedef struct LogScan
{
	Relation	rel;
	IndexScanDesc scan;
	Snapshot	snapshot;
	LogPart		part;
	Buffer		buffer;			/* pinned: that of the row */
	HeapTupleData tuple;

	/* results */
	bool		is_ours;		/* of the part; otherwise, only its place is known */
	const LogScanColumns *row;	/* NULL at the end */
} LogScan;

/*
 * Begin with the first row. The numbers of the keys' columns are those of the index: 1 topic_id, 2
 * xid, 3 message_id. Rows of the part are those visible in the snapshot; rows of other parts may be
 * any.
 */
extern void log_scan_begin(LogScan *scan, Relation rel, Relation index, Snapshot snapshot,
						   const LogPart *part, ScanKeyData *keys, int n_keys);

/* The next row; the last one is no longer valid. */
extern void log_scan_next(LogScan *scan);

/* The payload of the row, copied. */
extern Jsonb *log_scan_payload(LogScan *scan);

extern void log_scan_end(LogScan *scan);

#endif							/* ORDER_EXT_LOG_SCAN_H */

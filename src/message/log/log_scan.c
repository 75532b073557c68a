/*
 * log_scan.c
 *		The rows of a segment within a range of its key; see log_scan.h.
 *
 * Every part of a group reads the whole window, since the index does not contain the shard, and
 * passes over the rows of the others. So a row is first looked at in its page, without asking
 * whether it is visible, and given up if it is none of ours.
 */
#include "compat.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/htup_details.h"
#include "pgstat.h"
#include "storage/bufmgr.h"
#include "utils/rel.h"

#include "message/log/log_scan.h"
#include "message/log/segments.h"

StaticAssertDecl(offsetof(LogScanColumns, message_id) == 0 &&
				 offsetof(LogScanColumns, key) == 16 && offsetof(LogScanColumns, shard) == 36,
				 "the columns are where 300_messages.sql puts them");

/*
 * Whether the row at a place is one of another part. A row that was updated is not judged here:
 * the place may be that of its predecessor.
 */
static bool
is_of_others(LogScan *scan, ItemPointer tid)
{
	Page		page = BufferGetPage(scan->buffer);
	OffsetNumber offset = ItemPointerGetOffsetNumber(tid);
	ItemId		item;
	HeapTupleHeader header;

	if (scan->part.parts == 1 || offset > PageGetMaxOffsetNumber(page))
		return false;
	item = PageGetItemId(page, offset);
	if (!ItemIdIsNormal(item))
		return false;
	header = (HeapTupleHeader) PageGetItem(page, item);
	if (HeapTupleHeaderIsHotUpdated(header) || HeapTupleHeaderIsHeapOnly(header))
		return false;
	scan->row = (const LogScanColumns *) ((char *) header + header->t_hoff);
	return scan->row->shard % scan->part.parts != scan->part.part;
}

/* False if there is no row at that place that is ours to see, nor one of another part. */
static bool
read_row(LogScan *scan, ItemPointerData tid)
{
	scan->buffer = ReleaseAndReadBuffer(scan->buffer, scan->rel, ItemPointerGetBlockNumber(&tid));
	LockBuffer(scan->buffer, BUFFER_LOCK_SHARE);
	scan->is_ours = !is_of_others(scan, &tid);
	if (scan->is_ours)
	{
		scan->row = NULL;
		if (heap_hot_search_buffer(&tid, scan->rel, scan->buffer, scan->snapshot, &scan->tuple,
								   NULL, true))
			scan->row = (const LogScanColumns *) GETSTRUCT(&scan->tuple);
	}
	LockBuffer(scan->buffer, BUFFER_LOCK_UNLOCK);
	return scan->row != NULL;
}

void
log_scan_next(LogScan *scan)
{
	ItemPointer tid;

	while ((tid = index_getnext_tid(scan->scan, ForwardScanDirection)) != NULL)
	{
		if (!read_row(scan, *tid))
			continue;
		if (scan->is_ours)
			pgstat_count_heap_fetch(scan->rel);
		return;
	}
	scan->row = NULL;
}

void
log_scan_begin(LogScan *scan, Relation rel, Relation index, Snapshot snapshot,
			   const LogPart *part, ScanKeyData *keys, int n_keys)
{
	scan->rel = rel;
	scan->snapshot = snapshot;
	scan->part = *part;
	scan->buffer = InvalidBuffer;
	scan->scan = begin_index_scan(rel, index, snapshot, n_keys);
	index_rescan(scan->scan, keys, n_keys, NULL, 0);
	log_scan_next(scan);
}

Jsonb *
log_scan_payload(LogScan *scan)
{
	bool		isnull;
	Datum		payload = heap_getattr(&scan->tuple, LOG_PAYLOAD, RelationGetDescr(scan->rel),
									   &isnull);

	return DatumGetJsonbPCopy(payload);
}

void
log_scan_end(LogScan *scan)
{
	index_endscan(scan->scan);
	if (BufferIsValid(scan->buffer))
		ReleaseBuffer(scan->buffer);
}

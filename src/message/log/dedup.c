/*
 * dedup.c
 *		Publishing once; see dedup.h.
 *
 * A key is unique within the segment being written, by its primary key: of two publishers, the
 * second waits for the first one's transaction. All segments of the ring are checked first,
 * including uncommitted rows: a publisher that began before the ring moved may still be writing
 * to the previous one, and under an old snapshot, the insert could not distinguish a duplicate
 * from a conflict. In case our position in the ring is outdated, they are checked again after the
 * insert: a publisher that saw the move but not our row has a row in the next segment.
 */
#include "compat.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "access/transam.h"
#include "catalog/pg_type.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "core/errors.h"
#include "core/internal.h"
#include "core/spi_util.h"
#include "message/log/dedup.h"

/* Columns of dedup_N. */
enum
{
	DEDUP_MESSAGE_ID = 1,
	DEDUP_TOPIC_ID,
	DEDUP_PUBLISHED_AT,
	DEDUP_KEY
};

/* $1 topic, $2 key, $3 message, $4 now, $5: older rows have expired and are taken over. */
#define CLAIM(n) \
	SAVED_PLAN( \
		"INSERT INTO order_ext_internal.dedup_" n " AS d" \
		" (topic_id, dedup_key, message_id, published_at) VALUES ($1, $2, $3, $4)" \
		" ON CONFLICT (topic_id, dedup_key) DO UPDATE" \
		" SET message_id = excluded.message_id, published_at = excluded.published_at" \
		" WHERE d.published_at <= $5", \
		INT4OID, TEXTOID, INT8OID, TIMESTAMPTZOID, TIMESTAMPTZOID)

static SavedPlan claim[RING_SEGMENTS] = {CLAIM("0"), CLAIM("1"), CLAIM("2"), CLAIM("3")};

/*
 * The message that has the key in a segment; 0 if there is none, or only an expired one. Waits
 * for transactions that are about to write or remove the row.
 */
static int64
holder_in_segment(int segment, int32 topic_id, Datum key, TimestampTz cut)
{
	char	   *table = psprintf("dedup_%d", segment);
	Relation	rel = table_open(internal_relation(table), AccessShareLock);
	Relation	index = NULL;
	int64		holder = 0;
	TransactionId wait_for = InvalidTransactionId;

	if (RelationGetNumberOfBlocks(rel) > 0)
		index = index_open(internal_relation(psprintf("%s_pkey", table)), AccessShareLock);
	while (index != NULL)
	{
		SnapshotData dirty;
		ScanKeyData keys[2];
		SysScanDesc scan;
		HeapTuple	tuple;
		ItemPointerData tid;

		InitDirtySnapshot(dirty);
		ScanKeyInit(&keys[0], DEDUP_TOPIC_ID, BTEqualStrategyNumber, F_INT4EQ,
					Int32GetDatum(topic_id));
		ScanKeyInit(&keys[1], DEDUP_KEY, BTEqualStrategyNumber, F_TEXTEQ, key);
		scan = systable_beginscan_ordered(rel, index, &dirty, lengthof(keys), keys);
		wait_for = InvalidTransactionId;
		while (!TransactionIdIsValid(wait_for) &&
			   (tuple = systable_getnext_ordered(scan, ForwardScanDirection)) != NULL)
		{
			TupleDesc	desc = RelationGetDescr(rel);
			bool		isnull;
			TimestampTz at = DatumGetTimestampTz(heap_getattr(tuple, DEDUP_PUBLISHED_AT,
															  desc, &isnull));

			tid = tuple->t_self;
			if (TransactionIdIsValid(dirty.xmin))
				wait_for = dirty.xmin;
			else if (TransactionIdIsValid(dirty.xmax))
				wait_for = dirty.xmax;
			else if (at > cut)
				holder = DatumGetInt64(heap_getattr(tuple, DEDUP_MESSAGE_ID, desc, &isnull));
		}
		systable_endscan_ordered(scan);
		if (!TransactionIdIsValid(wait_for))
			break;
		holder = 0;
		XactLockTableWait(wait_for, rel, &tid, XLTW_InsertIndex);
	}
	if (index != NULL)
		index_close(index, NoLock);
	table_close(rel, NoLock);
	return holder;
}

int64
dedup_claim(const Topic *topic, const char *key, int64 message_id)
{
	int32		topic_id = topic->id;
	int			current = catalog_ring_state(RING_DEDUP)->current;
	TimestampTz now = GetCurrentTimestamp();
	TimestampTz cut = now - topic->dedup_window * USECS_PER_SEC;
	Datum		values[5];
	int64		holder = 0;
	int			i;

	values[0] = Int32GetDatum(topic_id);
	values[1] = CStringGetTextDatum(key);
	values[2] = Int64GetDatum(message_id);
	values[3] = TimestampTzGetDatum(now);
	values[4] = TimestampTzGetDatum(cut);
	for (i = 0; i < RING_SEGMENTS; i++)
	{
		holder = holder_in_segment((current + i) % RING_SEGMENTS, topic_id, values[1], cut);
		if (holder != 0)
			return holder;
	}
	if (plan_write(&claim[current], values, NULL, 0) == 0)
		holder = holder_in_segment(current, topic_id, values[1], cut);
	else if (holder_in_segment((current + 1) % RING_SEGMENTS, topic_id, values[1], cut) == 0)
		return 0;
	if (holder == 0)
		error_conflict("the dedup_key was claimed by another transaction");
	return holder;
}

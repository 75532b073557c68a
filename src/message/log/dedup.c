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
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "core/errors.h"
#include "core/internal.h"
#include "core/spi_util.h"
#include "message/log/dedup.h"
#include "message/log/dedup_free.h"

/* Columns of dedup_N. */
enum
{
	DEDUP_MESSAGE_ID = 1,
	DEDUP_TOPIC_ID,
	DEDUP_PUBLISHED_AT,
	DEDUP_KEY,
	DEDUP_GIVEN_UP,
	DEDUP_FREE
};

/*
 * $1 topic, $2 key, $3 message, $4 now, $5: older rows have expired and are taken over, and so are
 * those that are free before their time.
 */
#define CLAIM_WITH(n, set, or_free) \
	SAVED_PLAN( \
		"INSERT INTO order_ext_internal.dedup_" n " AS d" \
		" (topic_id, dedup_key, message_id, published_at) VALUES ($1, $2, $3, $4)" \
		" ON CONFLICT (topic_id, dedup_key) DO UPDATE" \
		" SET message_id = excluded.message_id, published_at = excluded.published_at" set \
		" WHERE d.published_at <= $5" or_free, \
		INT4OID, TEXTOID, INT8OID, TIMESTAMPTZOID, TIMESTAMPTZOID)
#define CLAIM(n) \
	CLAIM_WITH(n, ", given_up = excluded.given_up, free = excluded.free", " OR d.free")
#define OLD_CLAIM(n) CLAIM_WITH(n, "", "")

static SavedPlan claim[RING_SEGMENTS] = {CLAIM("0"), CLAIM("1"), CLAIM("2"), CLAIM("3")};

/* With SQL objects of 0.5, where no key is free before its time. */
static SavedPlan old_claim[RING_SEGMENTS] = {
	OLD_CLAIM("0"), OLD_CLAIM("1"), OLD_CLAIM("2"), OLD_CLAIM("3")
};

/* A free row of an earlier segment: whoever takes its key removes it, and only one can. */
#define TAKE_AWAY(n) \
	SAVED_PLAN( \
		"DELETE FROM order_ext_internal.dedup_" n \
		" WHERE topic_id = $1 AND dedup_key = $2 AND free", \
		INT4OID, TEXTOID)

static SavedPlan take_away[RING_SEGMENTS] = {
	TAKE_AWAY("0"), TAKE_AWAY("1"), TAKE_AWAY("2"), TAKE_AWAY("3")
};

/* What a segment says about a key. */
typedef struct KeyHolder
{
	int64		message_id;		/* 0: none, or it has expired */
	bool		free;			/* nobody will get that message: the key may be taken */
} KeyHolder;

/*
 * The message that has the key in a segment. Waits for transactions that are about to write or
 * remove the row.
 */
static KeyHolder
holder_in_segment(int segment, int32 topic_id, Datum key, TimestampTz cut)
{
	char	   *table = psprintf("dedup_%d", segment);
	Relation	rel = table_open(internal_relation(table), AccessShareLock);
	Relation	index = NULL;
	KeyHolder	holder = {0};
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
			{
				holder.message_id = DatumGetInt64(heap_getattr(tuple, DEDUP_MESSAGE_ID, desc,
															   &isnull));
				holder.free = desc->natts >= DEDUP_FREE &&
					DatumGetBool(heap_getattr(tuple, DEDUP_FREE, desc, &isnull));
			}
		}
		systable_endscan_ordered(scan);
		if (!TransactionIdIsValid(wait_for))
			break;
		holder.message_id = 0;
		XactLockTableWait(wait_for, rel, &tid, XLTW_InsertIndex);
	}
	if (index != NULL)
		index_close(index, NoLock);
	table_close(rel, NoLock);
	return holder;
}

/* The message that has the key in any segment; of free keys, *freed becomes the old message. */
static int64
holder_anywhere(int current, int32 topic_id, Datum key, TimestampTz cut, int64 *freed)
{
	int			i;

	*freed = 0;
	for (i = 0; i < RING_SEGMENTS; i++)
	{
		int			segment = (current + i) % RING_SEGMENTS;
		KeyHolder	holder = holder_in_segment(segment, topic_id, key, cut);
		Datum		values[2] = {Int32GetDatum(topic_id), key};

		if (holder.message_id == 0)
			continue;
		if (!holder.free)
			return holder.message_id;
		*freed = holder.message_id;
		/* if another publisher was faster, look for its row */
		if (segment != current && plan_write(&take_away[segment], values, NULL, 0) == 0)
			i = -1;
	}
	return 0;
}

static SavedPlan *
claim_in(int segment)
{
	Oid			relation = internal_relation(psprintf("dedup_%d", segment));

	return get_attnum(relation, "free") != InvalidAttrNumber ? &claim[segment] :
		&old_claim[segment];
}

int64
dedup_claim(const Topic *topic, const char *key, int64 message_id)
{
	int32		topic_id = topic->id;
	int			current = catalog_ring_state(RING_DEDUP)->current;
	TimestampTz now = GetCurrentTimestamp();
	TimestampTz cut = now - topic->dedup_window * USECS_PER_SEC;
	Datum		values[5];
	int64		holder;
	int64		freed;

	values[0] = Int32GetDatum(topic_id);
	values[1] = CStringGetTextDatum(key);
	values[2] = Int64GetDatum(message_id);
	values[3] = TimestampTzGetDatum(now);
	values[4] = TimestampTzGetDatum(cut);
	holder = holder_anywhere(current, topic_id, values[1], cut, &freed);
	if (holder != 0)
		return holder;
	if (plan_write(claim_in(current), values, NULL, 0) == 0)
		holder = holder_in_segment(current, topic_id, values[1], cut).message_id;
	else if (holder_in_segment((current + 1) % RING_SEGMENTS, topic_id, values[1],
							   cut).message_id == 0)
	{
		if (freed != 0)
			dedup_free_taken(topic_id, freed);
		return 0;
	}
	if (holder == 0)
		error_conflict("the dedup_key was claimed by another transaction");
	return holder;
}

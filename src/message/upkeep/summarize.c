/*
 * summarize.c
 *		Filters of the log by key; see summarize.h.
 *
 * A row that is inserted into a range of pages that has a filter has to be added to it, which
 * writes the whole filter to the WAL; in a range without one, it costs nothing. So a filter is
 * made when the pages are full, and the next range is, too: by then, hardly anybody writes there.
 * VACUUM makes the missing ones of full ranges as well.
 */
#include "compat.h"

#include "access/htup_details.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "storage/lmgr.h"
#include "utils/syscache.h"

#include "core/internal.h"
#include "core/spi_util.h"
#include "message/base/catalog.h"
#include "message/upkeep/summarize.h"

/* As in 300_messages.sql. */
#define PAGES_PER_RANGE 32

/* At most so many in a transaction, which other work of the process waits for. */
#define RANGES_AT_ONCE 4

static SavedPlan make_filter = SAVED_PLAN(
	"SELECT pg_catalog.brin_summarize_range($1::oid::regclass, $2)", OIDOID, INT8OID);

static SavedPlan drop_filter = SAVED_PLAN(
	"SELECT pg_catalog.brin_desummarize_range($1::oid::regclass, 0)", OIDOID);

/* The first block of each segment that may be without a filter, as far as we know. */
static BlockNumber next_block[RING_SEGMENTS];

/* InvalidOid if it is none of ours: SQL objects of 0.5. */
static Oid
filter_index(int segment)
{
	Oid			index = internal_relation_or_none(psprintf("message_log_%d_key", segment));
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(index));

	if (!HeapTupleIsValid(tuple))
		return InvalidOid;
	if (((Form_pg_class) GETSTRUCT(tuple))->relam != BRIN_AM_OID)
		index = InvalidOid;
	ReleaseSysCache(tuple);
	return index;
}

/* Returns the number of ranges looked at. */
static int
summarize_segment(int segment, int limit)
{
	Oid			log = internal_relation(psprintf("message_log_%d", segment));
	Oid			index = filter_index(segment);
	BlockNumber blocks = internal_relation_blocks(log);
	int			done = 0;

	if (next_block[segment] > blocks)
		next_block[segment] = 0;	/* it was truncated */
	if (!OidIsValid(index) || next_block[segment] + 2 * PAGES_PER_RANGE > blocks ||
		!ConditionalLockRelationOid(log, ShareUpdateExclusiveLock))
		return 0;
	for (; done < limit && next_block[segment] + 2 * PAGES_PER_RANGE <= blocks; done++)
	{
		Datum		values[2] = {ObjectIdGetDatum(index), Int64GetDatum(next_block[segment])};

		plan_query(&make_filter, values, NULL, 0);
		next_block[segment] += PAGES_PER_RANGE;
	}
	return done;
}

bool
summarize_log(void)
{
	int			left = RANGES_AT_ONCE;
	int			i;

	for (i = 0; i < RING_SEGMENTS && left > 0; i++)
		left -= summarize_segment(i, left);
	return left == 0;
}

void
summarize_anew(int segment)
{
	Oid			index = filter_index(segment);
	Datum		value = ObjectIdGetDatum(index);

	next_block[segment] = 0;
	if (OidIsValid(index))
		plan_query(&drop_filter, &value, NULL, 0);
}

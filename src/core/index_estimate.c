/*
 * index_estimate.c
 *		Estimating the size of a range of a B-tree; see index_estimate.h.
 *
 * The tree is descended level by level with those pages that cover the range. The pages of a
 * level that are more than a few are thinned out, and those that are left stand for their
 * neighbors: the result is exact for small ranges, and off by a few percent for large ones. No
 * statistics are needed: they would be missing or old just when there is much to count. Pages
 * that are split or deleted meanwhile make the estimate less good, and nothing else.
 */
#include "compat.h"

#include "access/nbtree.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "utils/rel.h"
#include "utils/xid8.h"

#include "core/index_estimate.h"

/* Pages of a level that are read. */
#define LEVEL_PAGES 24

/* Pages of a level, and how many pages each of them stands for. */
typedef struct LevelPages
{
	int			n;
	int			room;
	BlockNumber *blocks;
	double	   *weights;
} LevelPages;

static void
level_add(LevelPages *level, BlockNumber block, double weight)
{
	if (level->n == level->room)
	{
		level->room *= 2;
		level->blocks = repalloc(level->blocks, sizeof(BlockNumber) * level->room);
		level->weights = repalloc(level->weights, sizeof(double) * level->room);
	}
	level->blocks[level->n] = block;
	level->weights[level->n++] = weight;
}

static void
level_init(LevelPages *level)
{
	level->n = 0;
	level->room = LEVEL_PAGES * 2;
	level->blocks = palloc(sizeof(BlockNumber) * level->room);
	level->weights = palloc(sizeof(double) * level->room);
}

/* The first and the last page are kept, since they are not wholly in the range. */
static void
level_thin(LevelPages *level)
{
	int			inner = level->n - 2;
	int			kept = LEVEL_PAGES - 2;
	int			i;

	if (level->n <= LEVEL_PAGES)
		return;
	for (i = 0; i < kept; i++)
	{
		int			from = (int) (((int64) inner * i) / kept);
		int			to = (int) (((int64) inner * (i + 1)) / kept);
		int			middle = 1 + (from + to) / 2;

		level->blocks[1 + i] = level->blocks[middle];
		level->weights[1 + i] = level->weights[middle] * inner / kept;
	}
	level->blocks[1 + kept] = level->blocks[level->n - 1];
	level->weights[1 + kept] = level->weights[level->n - 1];
	level->n = LEVEL_PAGES;
}

/*
 * Whether an entry is before the range (-1), in it (0) or after it (1). Columns that an inner
 * page has cut off are lower than all values.
 */
static int
place_of(Relation index, const IndexRange *range, IndexTuple entry)
{
	TupleDesc	desc = RelationGetDescr(index);
	int			columns = BTreeTupleGetNAtts(entry, index);
	bool		isnull;
	int32		first;
	uint64		second;

	if (range->columns == 0)
		return 0;
	if (columns < 1)
		return -1;
	first = DatumGetInt32(index_getattr(entry, 1, desc, &isnull));
	if (first != range->first)
		return first < range->first ? -1 : 1;
	if (range->columns == 1)
		return 0;
	if (columns < 2)
		return -1;
	second = DatumGetUInt64(index_getattr(entry, 2, desc, &isnull));
	if (second != range->after_second)
		return second < range->after_second ? -1 : 0;
	if (columns < 3)
		return -1;
	return DatumGetInt64(index_getattr(entry, 3, desc, &isnull)) <= range->after_third ? -1 : 0;
}

/* The first entry of the page from there on whose place is this one or a later one. */
static OffsetNumber
find_place(Relation index, const IndexRange *range, Page page, OffsetNumber from, int place)
{
	OffsetNumber low = from;
	OffsetNumber high = OffsetNumberNext(PageGetMaxOffsetNumber(page));

	while (low < high)
	{
		OffsetNumber middle = low + (high - low) / 2;
		IndexTuple	entry = (IndexTuple) PageGetItem(page, PageGetItemId(page, middle));

		if (place_of(index, range, entry) < place)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static double
leaf_entries(Page page, OffsetNumber from, OffsetNumber to)
{
	double		n = 0;
	OffsetNumber i;

	for (i = from; i < to; i++)
	{
		ItemId		item = PageGetItemId(page, i);
		IndexTuple	entry = (IndexTuple) PageGetItem(page, item);

		if (!ItemIdIsDead(item))
			n += BTreeTupleIsPosting(entry) ? BTreeTupleGetNPosting(entry) : 1;
	}
	return n;
}

/* Count the entries of a page that are in the range, or add its children to the next level. */
static double
read_page(Relation index, const IndexRange *range, BlockNumber block, double weight,
		  LevelPages *next)
{
	Buffer		buffer = ReadBuffer(index, block);
	Page		page;
	BTPageOpaque opaque;
	double		n = 0;

	LockBuffer(buffer, BT_READ);
	page = BufferGetPage(buffer);
	opaque = PageIsNew(page) ? NULL : (BTPageOpaque) PageGetSpecialPointer(page);
	if (opaque != NULL && !P_IGNORE(opaque))
	{
		OffsetNumber first = P_FIRSTDATAKEY(opaque);
		OffsetNumber begin;
		OffsetNumber end;

		if (P_ISLEAF(opaque))
		{
			begin = find_place(index, range, page, first, 0);
			end = find_place(index, range, page, begin, 1);
			n = leaf_entries(page, begin, end) * weight;
		}
		else
		{
			/* the first entry has no key, and a child begins before its key's successor */
			begin = find_place(index, range, page, OffsetNumberNext(first), 0);
			end = find_place(index, range, page, begin, 1);
			for (begin = OffsetNumberPrev(begin); begin < end; begin++)
			{
				ItemId		item = PageGetItemId(page, begin);

				level_add(next, BTreeTupleGetDownLink((IndexTuple) PageGetItem(page, item)),
						  weight);
			}
		}
	}
	UnlockReleaseBuffer(buffer);
	return n;
}

static BlockNumber
root_of(Relation index)
{
	Buffer		buffer = ReadBuffer(index, BTREE_METAPAGE);
	BlockNumber root;

	LockBuffer(buffer, BT_READ);
	root = BTPageGetMeta(BufferGetPage(buffer))->btm_fastroot;
	UnlockReleaseBuffer(buffer);
	return root;
}

int64
index_estimate(Relation index, const IndexRange *range)
{
	LevelPages	level;
	BlockNumber root;
	double		n = 0;
	int			i;

	if (RelationGetNumberOfBlocks(index) == 0 || (root = root_of(index)) == P_NONE)
		return 0;
	level_init(&level);
	level_add(&level, root, 1);
	while (level.n > 0)
	{
		LevelPages	next;

		CHECK_FOR_INTERRUPTS();
		level_init(&next);
		for (i = 0; i < level.n; i++)
			n += read_page(index, range, level.blocks[i], level.weights[i], &next);
		level_thin(&next);
		pfree(level.blocks);
		pfree(level.weights);
		level = next;
	}
	pfree(level.blocks);
	pfree(level.weights);
	return (int64) (n + 0.5);
}

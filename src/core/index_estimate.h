/*
 * index_estimate.h
 *		How many entries a B-tree has in a range, without counting them.
 */
#ifndef ORDER_EXT_INDEX_ESTIMATE_H
#define ORDER_EXT_INDEX_ESTIMATE_H

#include "postgres.h"

#include "utils/relcache.h"

/*
 * The entries whose first column, an integer, is first, and whose second and third ones, an xid8
 * and a bigint, come after those given. columns: 0 = all entries, 1 = all with that first column.
 */
typedef struct IndexRange
{
	int			columns;
	int32		first;
	uint64		after_second;
	int64		after_third;
} IndexRange;

/*
 * Estimate the number of entries in the range from a bounded number of pages. Entries of rows
 * that are not visible count, too. The index must be open.
 */
extern int64 index_estimate(Relation index, const IndexRange *range);

#endif							/* ORDER_EXT_INDEX_ESTIMATE_H */

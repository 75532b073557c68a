/*
 * small_tables.h
 *		Rules for readers of tables whose rows are short-lived and which are therefore rewritten
 *		from time to time (upkeep/compact.c).
 */
#ifndef ORDER_EXT_SMALL_TABLES_H
#define ORDER_EXT_SMALL_TABLES_H

#include "postgres.h"

typedef enum SmallTable
{
	SMALL_TIMER_CANCELS,
	SMALL_TIMER_AHEAD,
	SMALL_RETRIES,
	SMALL_PARKED_MESSAGES,
	SMALL_INLINE_RANGES,
	SMALL_LEASES,
	SMALL_LEASE_RECEIPTS,
	SMALL_TIMER_FIRINGS,
	SMALL_TIMER_PROGRESS,
	SMALL_GROUP_PROGRESS,
	SMALL_TABLES
} SmallTable;

extern const char *const small_table_names[SMALL_TABLES];

/*
 * Keep the tables from being rewritten until the end of the transaction. Snapshots taken from now
 * on are reliable for them.
 */
extern void small_tables_hold(void);

/*
 * The same if the whole transaction uses one snapshot. Raises 40001 if one of the tables has been
 * rewritten since it was taken, and therefore looks empty.
 */
extern void small_tables_check_snapshot(void);

#endif							/* ORDER_EXT_SMALL_TABLES_H */

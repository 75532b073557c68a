/*
 * small_tables.h
 *		Tables whose rows come and go, and which are therefore written anew now and then
 *		(compact.c): what their readers must do.
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
 * Keep the tables from being written anew until the end of the transaction. Snapshots that
 * are taken from now on can be trusted about them.
 */
extern void small_tables_hold(void);

/*
 * The same where the snapshot is that of the whole transaction. Raises 40001 if one of the
 * tables has been written anew since it was taken, and so looks empty.
 */
extern void small_tables_check_snapshot(void);

#endif							/* ORDER_EXT_SMALL_TABLES_H */

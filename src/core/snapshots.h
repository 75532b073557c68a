/*
 * snapshots.h
 *		pg_snapshot values in C, as they are stored in columns of that type.
 */
#ifndef ORDER_EXT_SNAPSHOTS_H
#define ORDER_EXT_SNAPSHOTS_H

#include "postgres.h"

typedef struct LogSnapshot
{
	uint64		xmin;
	uint64		xmax;
	int			nxip;			/* in progress between xmin and xmax */
	uint64	   *xip;			/* ascending */
} LogSnapshot;

/* Conversion to and from the SQL type; results are in CurrentMemoryContext. */
extern LogSnapshot *snapshot_from_datum(Datum pg_snapshot);
extern LogSnapshot *snapshot_from_text(const char *text);
extern Datum snapshot_to_datum(const LogSnapshot *snapshot);

/* The text form of a pg_snapshot. */
extern char *snapshot_text(Datum pg_snapshot);

/*
 * The active snapshot, with this transaction's own id (if it has one) among those in progress:
 * messages that we publish ourselves are not behind any group yet.
 */
extern LogSnapshot *snapshot_active(void);

/*
 * Have the snapshot see the transaction with this id, and nothing else that it does not see. False,
 * and it is left as it is, if too many that are not to be seen would have to be listed.
 */
extern bool snapshot_add(LogSnapshot *snapshot, uint64 xid);

/* Whether the two are equal. */
extern bool snapshots_equal(const LogSnapshot *a, const LogSnapshot *b);

/* Whether a transaction's rows are visible in the snapshot. */
extern bool snapshot_sees(const LogSnapshot *snapshot, uint64 xid);

#endif							/* ORDER_EXT_SNAPSHOTS_H */

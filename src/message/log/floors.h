/*
 * floors.h
 *		Where to begin scans of an index whose rows are deleted at its beginning.
 *
 * Rows that are due are deleted at the beginning of their index. While any transaction holds an
 * old snapshot, they remain there, and a scan from the beginning has to skip more and more of
 * them. So each process remembers the time up to which nothing is left: a floor.
 *
 * A row that appears below the floor is found by the next scan from the beginning, within a
 * minute. If rows are inserted by processes other than the readers, readers therefore allow some
 * seconds for transactions that are slow to commit (FLOOR_SLACK), and the writer announces a row
 * that may take longer (floors_row_inserted()), or calls floors_lower().
 */
#ifndef ORDER_EXT_FLOORS_H
#define ORDER_EXT_FLOORS_H

#include "postgres.h"

#include "utils/timestamp.h"

#include "message/log/log.h"

typedef enum FloorOf
{
	FLOOR_RETRIES,				/* retries by due_at */
	FLOOR_RECEIPTS				/* lease_receipts by lease_until */
} FloorOf;

/* The time that an inserting transaction may take from its insert to its commit. */
#define FLOOR_SLACK (10 * USECS_PER_SEC)

/* The floor for a part of a group; DT_NOBEGIN = from the beginning. */
extern TimestampTz floor_of(FloorOf of, int32 group_id, const LogPart *part, TimestampTz now);

/*
 * Record that nothing before that time is left, by the active snapshot. If this transaction has
 * written anything, its rollback undoes this.
 */
extern void floor_raise(FloorOf of, int32 group_id, const LogPart *part, TimestampTz floor);

/* After this transaction has committed, all processes search for retries from the beginning. */
extern void floors_lower(void);

/*
 * A row that is due at that time was inserted for other processes: lowers the floors if this
 * transaction commits too late for the slack, or is prepared.
 */
extern void floors_row_inserted(TimestampTz due_at);

/* Register the callbacks; once, from message_init(). */
extern void floors_init(void);

#endif							/* ORDER_EXT_FLOORS_H */

/*
 * floors.h
 *		Where to begin to look in an index whose rows come and go at one end.
 *
 * Rows that are due are deleted at the beginning of their index. While somebody holds an old
 * snapshot they stay there, and a scan from the beginning passes over more and more of
 * them. So each process remembers up to which time there is nothing left: a floor.
 *
 * A row that appears below the floor is found by the next look from the beginning, within a
 * minute. Where rows are inserted by others than those who read them, readers therefore
 * leave some seconds for transactions that are slow to commit (FLOOR_SLACK), and the writer
 * tells of a row that may take longer (floors_row_inserted()), or calls floors_lower().
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

/* What a transaction that inserts may take from its row to its commit. */
#define FLOOR_SLACK (10 * USECS_PER_SEC)

/* The floor for a part of a group; DT_NOBEGIN = from the beginning. */
extern TimestampTz floor_of(FloorOf of, int32 group_id, const LogPart *part, TimestampTz now);

/*
 * Nothing before that time is left, by the active snapshot. Holds until this transaction is
 * rolled back, if it has written anything.
 */
extern void floor_raise(FloorOf of, int32 group_id, const LogPart *part, TimestampTz floor);

/* Once this transaction has committed, everybody looks for retries from the beginning. */
extern void floors_lower(void);

/*
 * A row that is due then was inserted for others to find: lowers the floors if this transaction
 * commits too late for the slack, or is prepared.
 */
extern void floors_row_inserted(TimestampTz due_at);

/* Register the callbacks; once, from message_init(). */
extern void floors_init(void);

#endif							/* ORDER_EXT_FLOORS_H */

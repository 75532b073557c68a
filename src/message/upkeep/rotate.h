/*
 * rotate.h
 *		What keeps the message layer's tables from growing: rings move on, segments that are
 *		behind everybody are truncated, small tables full of dead rows are written anew,
 *		and operators hear of groups that hold back the log.
 */
#ifndef ORDER_EXT_ROTATE_H
#define ORDER_EXT_ROTATE_H

#include "postgres.h"

#include "utils/timestamp.h"

#include "message/base/catalog.h"

/*
 * A round of the scheduler process, if it is time: in transactions of its own. wrote says
 * that something may have been written since the last turn. *next_wakeup is lowered to when
 * the next round is worthwhile though nothing is written until then.
 */
extern void rotation_turn(bool wrote, TimestampTz *next_wakeup);

/* Look again soon; for after an error. */
extern void rotation_forget(void);

/*
 * The same work in the current transaction, for maintain(); what takes locks that others
 * would wait for is left out unless may_truncate. Inside engine_enter() or api_call().
 */
extern void rotate_now(bool may_truncate);

/* ---- the steps; each returns when it is worthwhile again, DT_NOEND if it cannot say ---- */

/* Move the ring on if it is time. */
extern TimestampTz ring_advance(Ring ring, TimestampTz now);

/* Truncate a segment that is over and behind everybody; RING_TRUNCATED if there was one. */
#define RING_TRUNCATED DT_NOBEGIN
extern TimestampTz ring_truncate(Ring ring, TimestampTz now);

/*
 * Write a small table anew that is full of dead rows. i counts from 0; false: no such.
 * may_wait: wait for its lock, up to the lock timeout (55P03).
 */
extern bool compact_table(int i, bool may_wait);

/* When to try again a table whose lock was not to be had; DT_NOEND if there is none. */
extern TimestampTz compaction_postponed(void);

/*
 * Keep these tables from being written anew until the end of the transaction. Snapshots that
 * are taken from now on can be trusted about them.
 */
extern void small_tables_hold(void);

/*
 * The same where the snapshot is that of the whole transaction. Raises 40001 if one of the
 * tables has been written anew since it was taken, and so looks empty.
 */
extern void small_tables_check_snapshot(void);

/* Tell operators of groups whose backlog is old, or that hold back a log that is large. */
extern TimestampTz backlog_check(TimestampTz now);

/* Bytes of the log's segments, their indexes and TOAST not counted. */
extern int64 log_bytes(void);

/* Whether a group still needs rows of a log segment; counts what is committed now. */
extern bool log_segment_needed(int segment);

#endif							/* ORDER_EXT_ROTATE_H */

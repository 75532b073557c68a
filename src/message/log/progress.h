/*
 * progress.h
 *		Where a consumer group stands in the log.
 */
#ifndef ORDER_EXT_PROGRESS_H
#define ORDER_EXT_PROGRESS_H

#include "postgres.h"

#include "utils/relcache.h"

#include "message/base/catalog.h"
#include "message/log/log.h"

/*
 * Everything visible in done is behind the group. While it is inside a window, reading
 * is the window's end, and what is visible in it and not after pos is behind, too.
 */
typedef struct Progress
{
	int32		group_id;
	LogPart		part;
	int64		seq;			/* of the stored row; 0 = none yet */
	int64		consumed;
	LogSnapshot *done;
	LogSnapshot *reading;		/* NULL = between two windows */
	bool		has_pos;
	LogPosition pos;
} Progress;

/* Read the newest progress of a part; its lock must be held. */
extern void progress_load(const ConsumerGroup *group, int16 part, Progress *progress);

/*
 * What the active snapshot shows of it, without the lock. A snapshot of before group_progress was
 * locked may show none, since the table is rewritten at times (upkeep/compact.c).
 */
extern void progress_look(const ConsumerGroup *group, int16 part, Progress *progress);

/*
 * How many messages the group has consumed, those of parts that it no longer has included, as the
 * active snapshot shows it.
 */
extern int64 progress_consumed(int32 group_id);

/*
 * The messages of the group's topic that are not behind the progress, to which the window refers.
 */
extern void progress_window(const ConsumerGroup *group, const Progress *progress,
							LogWindow *window);

/*
 * Append it as the newest row. Raises 40001 if another transaction has done so since it was read
 * (the reader's snapshot was older than the group's lock).
 */
extern void progress_append(Progress *progress);

/* The window has been read to its end: all of it is behind the group. */
extern void progress_close_window(Progress *progress);

/*
 * What dispatch() delivered to a group within the publishing transaction, as the active snapshot
 * shows it, which has to be one of after inline_ranges was locked.
 */
typedef struct InlineRanges
{
	int32		group_id;
	Relation	rel;
	Relation	index;
	bool		any;			/* there is some */
} InlineRanges;

extern void progress_inline_open(InlineRanges *ranges, int32 group_id);
extern bool progress_inline_holds(const InlineRanges *ranges, const LogPosition *at);
extern void progress_inline_close(InlineRanges *ranges);

/*
 * Mark those rows that were delivered to the group within the transaction that published them.
 * Returns whether the group has any such messages behind it at all (if not, nothing is marked).
 * The group's lock must be held.
 */
extern bool progress_mark_inline(int32 group_id, const LogRow *rows, int n, bool *delivered);

/* Record that rows of this transaction (in id order) were delivered to the group. */
extern void progress_append_inline(int32 group_id, const LogRow *rows, int n);

/*
 * Delete the ranges that are behind the group by the progress of this and its other parts.
 */
extern void progress_forget_inline(const Progress *progress);

#endif							/* ORDER_EXT_PROGRESS_H */

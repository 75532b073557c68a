/*
 * pass.c
 *		One pass of a consumer group; see pass.h.
 */
#include "compat.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"

#include "core/locks.h"
#include "message/base/limits.h"
#include "message/base/rights.h"
#include "message/delivery/deliver.h"
#include "message/delivery/parts.h"
#include "message/delivery/pass.h"
#include "message/delivery/running.h"
#include "message/log/log.h"
#include "message/log/progress.h"

/* ---- the group ---- */

/* Whether the group's handler runs here: as role, or built in. */
static bool
group_is_for(const ConsumerGroup *group, Oid role, bool builtin)
{
	if (group->builtin)
		return builtin;
	if (!OidIsValid(role))
		return true;
	return rights_runs_as(&group->run_as, role);
}

/*
 * Lock the group and copy its description (handlers may change the cached one). False if there is
 * nothing for us to do: it is busy, dropped, paused or another role's.
 */
static bool
pass_begin(Pass *pass, ConsumerGroup *group)
{
	const ConsumerGroup *cached;

	pass->batches = 0;
	pass->taken = 0;
	pass->finished = 0;
	pass->handled = 0;
	pass->switched = false;
	pass->waits = false;
	pass->busy = 0;
	pass->parked_bytes = 0;
	pass->more = false;
	pass->next_retry = DT_NOEND;
	pass->locked = !lock_try(LOCK_GROUP, GROUP_LOCK_KEY(pass->group_id, pass->part));
	/* Such a process has given the lock back, and its mark is not on record yet. */
	if (!pass->locked && running_mark_unrecorded != NULL)
		pass->locked = running_mark_unrecorded(pass->group_id);
	if (pass->locked)
		return false;
	AcceptInvalidationMessages();	/* it may have changed before we got the lock */
	cached = catalog_group_by_id(pass->group_id);
	if (cached == NULL || cached->paused || pass->part >= cached->parts)
		return false;
	if (catalog_group_is_external(cached) != (pass->mode == PASS_LEASE))
		return false;
	if (!group_is_for(cached, pass->only_run_as, pass->builtin))
		return false;
	catalog_group_copy(cached, group);
	return true;
}

static LogPart
part_of(const Pass *pass, const ConsumerGroup *group)
{
	LogPart		part = {.part = pass->part, .parts = group->parts};

	return part;
}

static void
note_next_retry(Pass *pass, const ConsumerGroup *group)
{
	LogPart		part = part_of(pass, group);

	pass->next_retry = retries_next_due(group, &part);
}

/* ---- the log ---- */

typedef struct Slice
{
	Progress	progress;
	bool		opened;			/* the window was opened by this pass */
	LogSnapshot *barrier;		/* nothing is read beyond it; or NULL */
	LogWindow	window;
	LogRow	   *rows;
	int			n_rows;
	bool		had_ranges;		/* of messages that were delivered inline */
	int		   *row_of;			/* of each delivery */
	Delivery   *deliveries;
	int			n;
} Slice;

/* Find the group's window, opening one if none is open. Needs a snapshot. */
static void
find_window(const ConsumerGroup *group, int16 part, Slice *slice)
{
	Progress   *progress = &slice->progress;

	progress_load(group, part, progress);
	slice->opened = (progress->reading == NULL);
	slice->barrier = group->barrier != NULL ? snapshot_from_text(group->barrier) : NULL;
	if (slice->opened)
		progress->reading = slice->barrier != NULL ? slice->barrier : snapshot_active();
	slice->had_ranges = false;
}

/* Read the next rows of the window. Needs a snapshot. */
static void
read_rows(const ConsumerGroup *group, int limit, Slice *slice)
{
	bool	   *delivered;
	bool		has_ranges;
	int			i;

	progress_window(group, &slice->progress, &slice->window);
	slice->rows = palloc(sizeof(LogRow) * limit);
	slice->n_rows = log_read_window(&slice->window, limit, slice->rows);
	delivered = palloc(sizeof(bool) * (slice->n_rows + 1));
	has_ranges = slice->n_rows > 0 &&
		progress_mark_inline(group->id, slice->rows, slice->n_rows, delivered);
	slice->had_ranges |= has_ranges;

	slice->deliveries = palloc0(sizeof(Delivery) * Max(slice->n_rows, 1));
	slice->row_of = palloc(sizeof(int) * Max(slice->n_rows, 1));
	slice->n = 0;
	for (i = 0; i < slice->n_rows; i++)
	{
		if (has_ranges && delivered[i])
			continue;
		slice->row_of[slice->n] = i;
		slice->deliveries[slice->n++].message = slice->rows[i].message;
	}
}

static void
read_slice(const ConsumerGroup *group, int16 part, int limit, Slice *slice)
{
	PushActiveSnapshot(GetTransactionSnapshot());
	find_window(group, part, slice);
	read_rows(group, limit, slice);
	PopActiveSnapshot();
}

/*
 * Move over the first finished deliveries of the slice. Returns whether the window has been read
 * to its end.
 */
static bool
advance(Slice *slice, int finished)
{
	Progress   *progress = &slice->progress;
	bool		all = (finished == slice->n);
	bool		closed = all && slice->window.at_end;

	progress->consumed += finished;
	if (closed)
		progress_close_window(progress);
	else if (slice->n_rows > 0 || slice->window.passed > 0)
	{
		progress->has_pos = true;
		progress->pos = all ? slice->window.last : slice->rows[slice->row_of[finished - 1]].at;
	}
	return closed;
}

static void
deliver_slice(Pass *pass, const ConsumerGroup *group, Slice *slice)
{
	pass->batches++;
	pass->taken += slice->n;
	if (slice->n == 0)
		return;
	pass->finished += deliver_messages(pass, group, slice->deliveries, slice->n);
}

/*
 * Whether the transaction may go on with the next slice. Not if it holds locks that applications
 * may wait for, or if what comes next depends on how it has ended.
 */
static bool
may_go_on(const Pass *pass, const ConsumerGroup *group, TimestampTz until)
{
	return pass->may_go_on != NULL && pass->mode == PASS_SET && pass->finished == pass->taken &&
		!group->builtin && !group->adapted && !group->ordered && !group->suspects &&
		group->barrier == NULL && GetCurrentTimestamp() < until && pass->may_go_on();
}

/* Deliver the slice that was read, and those after it while that may go on. */
static void
deliver_slices(Pass *pass, const ConsumerGroup *group, Slice *slice)
{
	TimestampTz until = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), MERGE_MS);
	MemoryContext context = NULL;
	bool		moved = false;
	bool		closed = false;

	for (;;)
	{
		int			before = pass->finished;

		deliver_slice(pass, group, slice);
		if (pass->finished > before || slice->n == 0)
		{
			closed = advance(slice, pass->finished - before);
			moved = true;
		}
		if (closed || !may_go_on(pass, group, until))
			break;
		if (context == NULL)
			context = AllocSetContextCreate(CurrentMemoryContext, "order_ext slice",
											ALLOCSET_DEFAULT_SIZES);
		MemoryContextReset(context);
		MemoryContextSwitchTo(context);
		PushActiveSnapshot(GetTransactionSnapshot());
		read_rows(group, pass->limit, slice);
		PopActiveSnapshot();
	}
	if (context != NULL)
		MemoryContextSwitchTo(MemoryContextGetParent(context));
	if (moved)
		progress_append(&slice->progress);
	if (closed && slice->had_ranges)
		progress_forget_inline(&slice->progress);
	if (context != NULL)
		MemoryContextDelete(context);
}

void
pass_window(Pass *pass)
{
	ConsumerGroup group;
	Slice		slice;
	Progress   *progress = &slice.progress;
	bool		arrived;

	if (!pass_begin(pass, &group))
		return;
	read_slice(&group, pass->part, pass->limit, &slice);
	pass->taken = slice.n;
	arrived = slice.barrier != NULL && slice.opened &&
		snapshots_equal(progress->done, slice.barrier);

	/* An empty window is not recorded: idle groups write nothing. */
	if (slice.n_rows > 0 || !slice.opened || slice.window.passed >= PASSED_NOTED ||
		!slice.window.at_end || (slice.barrier != NULL && !arrived))
	{
		pass->taken = 0;
		deliver_slices(pass, &group, &slice);
		pass->more = pass->finished < pass->taken || !slice.window.at_end || !slice.opened;
		arrived = slice.barrier != NULL && progress->reading == NULL &&
			snapshots_equal(progress->done, slice.barrier);
	}
	if (arrived)
	{
		pass->switched = parts_switch(&group, slice.barrier);
		pass->waits = !pass->switched;
		pass->more = pass->switched;
	}
	note_next_retry(pass, &group);
}

/*
 * Whether the log has something for a part of the group. A window read to its end is closed only
 * by the next pass, so what lies beyond it counts, too.
 */
static bool
part_has_messages(const ConsumerGroup *group, int16 part)
{
	Slice		slice;

	read_slice(group, part, 1, &slice);
	if (slice.n_rows > 0 || !slice.window.at_end)
		return true;
	if (slice.opened)
		return false;
	progress_close_window(&slice.progress);
	PushActiveSnapshot(GetTransactionSnapshot());
	slice.progress.reading = snapshot_active();
	progress_window(group, &slice.progress, &slice.window);
	slice.n_rows = log_read_window(&slice.window, 1, slice.rows);
	PopActiveSnapshot();
	return slice.n_rows > 0 || !slice.window.at_end;
}

bool
pass_has_messages(const ConsumerGroup *group, bool *locked)
{
	int16		part;

	for (part = 0; part < group->parts; part++)
	{
		if (!part_has_messages(group, part))
			continue;
		if (!lock_is_held(LOCK_GROUP, GROUP_LOCK_KEY(group->id, part)))
			return true;
		*locked = true;
	}
	return false;
}

/* ---- retries ---- */

void
pass_retries(Pass *pass, TimestampTz now)
{
	ConsumerGroup group;
	Delivery   *deliveries;
	LogPart		part;
	bool		more;

	if (!pass_begin(pass, &group))
		return;
	part = part_of(pass, &group);
	deliveries = palloc(sizeof(Delivery) * pass->limit);
	pass->taken = retries_due(&group, &part, now, pass->limit, deliveries, &more);
	if (pass->taken > 0)
		pass->finished = deliver_messages(pass, &group, deliveries, pass->taken);
	pass->more = more || pass->finished < pass->taken;
	note_next_retry(pass, &group);
}

/* ---- this transaction's own messages ---- */

/*
 * What the part has read ends here, and nothing waits behind it: what this transaction has
 * published comes next. The snapshot is newer than anything a handler has seen in it.
 */
static bool
has_read_all(const ConsumerGroup *group, int16 part, Slice *slice)
{
	bool		all = false;

	PushActiveSnapshot(GetTransactionSnapshot());
	find_window(group, part, slice);
	if (slice->opened)
	{
		read_rows(group, 1, slice);
		all = slice->n_rows == 0 && slice->window.at_end;
	}
	PopActiveSnapshot();
	return all;
}

bool
pass_handed_on(Pass *pass, int16 parts, const Message *messages, int n)
{
	uint64		own = U64FromFullTransactionId(GetTopFullTransactionId());
	ConsumerGroup group;
	Slice		slice;
	Delivery   *deliveries;
	int			i;

	if (!pass_begin(pass, &group))
		return false;
	/* the order of keys and the barrier are matters of the window */
	if (group.parts != parts || group.ordered || group.barrier != NULL ||
		!has_read_all(&group, pass->part, &slice) ||
		!snapshot_add(slice.progress.reading, own))
		return false;
	deliveries = palloc0(sizeof(Delivery) * n);
	for (i = 0; i < n; i++)
		deliveries[i].message = messages[i];
	pass->taken = n;
	while (pass->finished < n)
	{
		int			some = Min(n - pass->finished, pass->limit);
		int			finished = deliver_messages(pass, &group, &deliveries[pass->finished], some);

		pass->finished += finished;
		if (finished < some)
			return false;
	}
	slice.progress.consumed += n;
	progress_close_window(&slice.progress);
	progress_append(&slice.progress);
	return true;
}

void
pass_inline(Pass *pass, int16 parts, const int64 *ids, int n)
{
	ConsumerGroup group;
	Progress	progress;
	LogRow	   *rows;
	Delivery   *deliveries;
	int			i;

	if (!pass_begin(pass, &group))
		return;
	pass->switched = group.parts != parts;
	if (pass->switched)
		return;
	rows = palloc(sizeof(LogRow) * Max(n, 1));
	PushActiveSnapshot(GetTransactionSnapshot());
	pass->taken = log_read_own(group.topic_id, ids, n, rows);
	progress_load(&group, pass->part, &progress);
	PopActiveSnapshot();
	if (pass->taken == 0)
		return;

	deliveries = palloc0(sizeof(Delivery) * pass->taken);
	for (i = 0; i < pass->taken; i++)
		deliveries[i].message = rows[i].message;
	pass->finished = deliver_messages(pass, &group, deliveries, pass->taken);
	progress_append_inline(group.id, rows, pass->finished);
	progress.consumed += pass->finished;
	progress_append(&progress);
}

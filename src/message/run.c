/*
 * run.c
 *		One pass of a consumer group; see run.h.
 */
#include "compat.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/inval.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"

#include "core/locks.h"
#include "core/settings.h"
#include "message/handler.h"
#include "message/limits.h"
#include "message/log.h"
#include "message/progress.h"
#include "message/run.h"

/* ---- failures ---- */

Failure *
failure_from_error(void)
{
	ErrorData  *error = CopyErrorData();
	Failure    *failure = palloc(sizeof(Failure));

	if (error->sqlerrcode == ERRCODE_QUERY_CANCELED && !handler_timed_out())
		ReThrowError(error);
	FlushErrorState();
	failure->sqlstate = error->sqlerrcode;
	failure->message = error->message != NULL ? error->message : pstrdup("(no message)");
	failure->detail = error->detail;
	if (error->sqlerrcode == ERRCODE_QUERY_CANCELED)
		failure->message = psprintf("handler ran longer than order_ext.handler_timeout (%d ms)",
									setting_handler_timeout);
	return failure;
}

bool
failure_is_conflict(const Failure *failure)
{
	return failure->sqlstate == ERRCODE_T_R_DEADLOCK_DETECTED ||
		failure->sqlstate == ERRCODE_T_R_SERIALIZATION_FAILURE;
}

/* ---- delivering ---- */

static void
deliver_set(Pass *pass, const ConsumerGroup *group, Handler *handler,
			Delivery *deliveries, int n)
{
	Message    *messages = palloc(sizeof(Message) * n);
	TimestampTz now = GetCurrentTimestamp();
	int			i;

	for (i = 0; i < n; i++)
	{
		messages[i] = deliveries[i].message;
		deliveries[i].started_at = now;
	}
	handler_run(handler, messages, n);
	for (i = 0; i < n; i++)
	{
		if (messages[i].outcome == MESSAGE_BUSY)
		{
			delivery_busy(group, &deliveries[i], 0);
			pass->busy++;
		}
		else
			delivery_done(group, &deliveries[i]);
	}
}

/*
 * Run one message in a subtransaction. NULL if the handler came back, else why it did
 * not, and nothing of it remains.
 */
static Failure *
attempt(Handler *handler, Delivery *delivery)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	Failure    *volatile failure = NULL;
	const LogAppended *ignored;
	int			appended = log_captured(&ignored);

	delivery->started_at = GetCurrentTimestamp();
	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		handler_run(handler, &delivery->message, 1);
		ReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = owner;
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		failure = failure_from_error();
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = owner;
		log_capture_truncate(appended);
		delivery->message.outcome = MESSAGE_DONE;
	}
	PG_END_TRY();
	return failure;
}

/*
 * Deliver one by one. Returns how many were finished, from the front: a deadlock may be
 * due to the locks that the messages before still hold in this transaction, so that a
 * worker stops there and commits them first.
 */
static int
deliver_isolated(Pass *pass, const ConsumerGroup *group, Handler *handler,
				 Delivery *deliveries, int n)
{
	int			i;

	for (i = 0; i < n; i++)
	{
		Delivery   *delivery = &deliveries[i];
		Failure    *failure;
		int			conflicts = 0;

		CHECK_FOR_INTERRUPTS();
		while ((failure = attempt(handler, delivery)) != NULL && failure_is_conflict(failure))
		{
			if (pass->in_dispatch && IsolationUsesXactSnapshot())
				ereport(ERROR,
						(errcode(failure->sqlstate),
						 errmsg("%s", failure->message),
						 errhint("Run the transaction again.")));
			if (!pass->in_dispatch && i > 0)
				return i;
			if (++conflicts >= MAX_CONFLICTS)
				break;
		}
		if (failure == NULL && delivery->message.outcome == MESSAGE_BUSY)
		{
			delivery_busy(group, delivery, 0);
			pass->busy++;
		}
		else if (failure == NULL)
			delivery_done(group, delivery);
		else if (failure_is_conflict(failure))
			delivery_busy(group, delivery, 1000);
		else
			delivery_failed(group, delivery, failure);
	}
	return n;
}

/* Returns how many were finished, from the front. */
static int
deliver(Pass *pass, const ConsumerGroup *group, Delivery *deliveries, int n)
{
	Handler		handler;
	Failure		why;
	int			i;

	if (pass->mode == PASS_LEASE)
	{
		pass->take(pass->taker, deliveries, n);
		return n;
	}
	if (!handler_open(group, &handler, &why))
	{
		for (i = 0; i < n; i++)
		{
			deliveries[i].started_at = GetCurrentTimestamp();
			delivery_dead(group, &deliveries[i], &why);
		}
		return n;
	}
	switch (pass->mode)
	{
		case PASS_SET:
			deliver_set(pass, group, &handler, deliveries, n);
			break;
		case PASS_ISOLATED:
			n = deliver_isolated(pass, group, &handler, deliveries, n);
			break;
		case PASS_GIVE_UP:
			deliveries[0].started_at = GetCurrentTimestamp();
			delivery_failed(group, &deliveries[0], pass->failure);
			return 1;
		case PASS_LEASE:
			return 0;
	}
	if (!pass->in_dispatch)
		handler_settle(&handler);
	return n;
}

/* ---- the group ---- */

/* Whether the group's handler runs here: as role, or built in and order_ext's own. */
static bool
group_is_for(const ConsumerGroup *group, Oid role, bool builtin)
{
	if (group->builtin && group->run_as == NULL)
		return builtin;
	if (!OidIsValid(role))
		return true;
	return group->run_as != NULL && get_role_oid(group->run_as, true) == role;
}

static char *
copy_text(const char *text)
{
	return text != NULL ? pstrdup(text) : NULL;
}

/*
 * Lock the group and copy its description (handlers may change the cached one). False
 * if there is nothing for us to do: it is busy, gone, paused or another role's.
 */
static bool
pass_begin(Pass *pass, ConsumerGroup *group)
{
	const ConsumerGroup *cached;

	pass->taken = 0;
	pass->handled = 0;
	pass->busy = 0;
	pass->more = false;
	pass->next_retry = DT_NOEND;
	pass->locked = !lock_try(LOCK_GROUP, GROUP_LOCK_KEY(pass->group_id, pass->part));
	if (pass->locked)
		return false;
	AcceptInvalidationMessages();	/* it may have changed until we had the lock */
	cached = group_by_id(pass->group_id);
	if (cached == NULL || cached->paused || pass->part >= cached->parts)
		return false;
	if (group_is_external(cached) != (pass->mode == PASS_LEASE))
		return false;
	if (!group_is_for(cached, pass->only_run_as, pass->builtin))
		return false;
	*group = *cached;
	group->name = copy_text(cached->name);
	group->handler = copy_text(cached->handler);
	group->run_as = copy_text(cached->run_as);
	group->start_at = copy_text(cached->start_at);
	group->subscriber = copy_text(cached->subscriber);
	group->barrier = copy_text(cached->barrier);
	return true;
}

static void
note_next_retry(Pass *pass)
{
	PushActiveSnapshot(GetTransactionSnapshot());
	pass->next_retry = retries_next_due(pass->group_id);
	PopActiveSnapshot();
}

/* ---- the log ---- */

typedef struct Slice
{
	Progress	progress;
	bool		opened;			/* the window was opened by this pass */
	LogWindow	window;
	LogRow	   *rows;
	int			n_rows;
	bool		has_ranges;		/* of messages that were delivered inline */
	int		   *row_of;			/* of each delivery */
	Delivery   *deliveries;
	int			n;
} Slice;

/* Read the next rows of the group's window, opening one if none is open. */
static void
read_slice(const ConsumerGroup *group, int16 part, int limit, Slice *slice)
{
	Progress   *progress = &slice->progress;
	LogWindow  *window = &slice->window;
	bool	   *delivered;
	int			i;

	PushActiveSnapshot(GetTransactionSnapshot());
	progress_load(group, part, progress);
	slice->opened = (progress->reading == NULL);
	if (slice->opened)
		progress->reading = log_snapshot_active();
	progress_window(group, progress, window);
	slice->rows = palloc(sizeof(LogRow) * limit);
	slice->n_rows = log_read_window(window, limit, slice->rows);
	delivered = palloc(sizeof(bool) * (slice->n_rows + 1));
	slice->has_ranges = slice->n_rows > 0 &&
		inline_ranges_mark(group->id, slice->rows, slice->n_rows, delivered);
	PopActiveSnapshot();

	slice->deliveries = palloc0(sizeof(Delivery) * Max(slice->n_rows, 1));
	slice->row_of = palloc(sizeof(int) * Max(slice->n_rows, 1));
	slice->n = 0;
	for (i = 0; i < slice->n_rows; i++)
	{
		if (delivered[i])
			continue;
		slice->row_of[slice->n] = i;
		slice->deliveries[slice->n++].message = slice->rows[i].message;
	}
}

/* Move the progress over the first finished deliveries of the slice. */
static void
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
	progress_append(progress);
	if (closed && slice->has_ranges)
		inline_ranges_forget(progress);
}

void
pass_window(Pass *pass)
{
	ConsumerGroup group;
	Slice		slice;
	int			finished = 0;

	if (!pass_begin(pass, &group))
		return;
	read_slice(&group, pass->part, pass->limit, &slice);
	pass->taken = slice.n;

	/* An empty window leaves no trace: idle groups write nothing. */
	if (slice.n_rows > 0 || !slice.opened || slice.window.passed >= PASSED_NOTED ||
		!slice.window.at_end)
	{
		if (slice.n > 0)
			finished = deliver(pass, &group, slice.deliveries, slice.n);
		pass->handled = finished;
		if (finished > 0 || slice.n == 0)
			advance(&slice, finished);
		pass->more = finished < slice.n || !slice.window.at_end || !slice.opened;
	}
	note_next_retry(pass);
}

/*
 * Whether the log has something for a part of the group. A window that is read to its end is
 * closed by the next pass only, so that what lies behind it counts, too.
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
	slice.progress.reading = log_snapshot_active();
	progress_window(group, &slice.progress, &slice.window);
	slice.n_rows = log_read_window(&slice.window, 1, slice.rows);
	PopActiveSnapshot();
	return slice.n_rows > 0 || !slice.window.at_end;
}

bool
group_has_messages(const ConsumerGroup *group, bool *locked)
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

	if (!pass_begin(pass, &group))
		return;
	deliveries = palloc(sizeof(Delivery) * pass->limit);
	PushActiveSnapshot(GetTransactionSnapshot());
	pass->taken = retries_due(group.id, now, pass->limit, deliveries);
	PopActiveSnapshot();
	if (pass->taken > 0)
		pass->handled = deliver(pass, &group, deliveries, pass->taken);
	pass->more = pass->taken == pass->limit || pass->handled < pass->taken;
	note_next_retry(pass);
}

/* ---- this transaction's own messages ---- */

void
pass_inline(Pass *pass, const int64 *ids, int n)
{
	ConsumerGroup group;
	Progress	progress;
	LogRow	   *rows;
	Delivery   *deliveries;
	int			i;

	if (!pass_begin(pass, &group))
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
	pass->handled = deliver(pass, &group, deliveries, pass->taken);
	inline_ranges_append(group.id, rows, pass->handled);
	progress.consumed += pass->handled;
	progress_append(&progress);
}

/*
 * dispatch.c
 *		dispatch(): the work of the workers, done in the caller's transaction.
 *
 * Rounds of due timers, due retries and new messages, until a round finds nothing.
 * Where a worker uses a transaction, dispatch() uses a subtransaction, so that a failing
 * handler does not fail the call.
 *
 * Messages that handlers publish during the call must be delivered by it, too, although they are
 * not committed and no snapshot can distinguish them from what the caller published before. So
 * the log records the ids that are appended during the call; these are read by id, and recorded
 * in inline_ranges as delivered. Everything else of this transaction waits for its commit.
 */
#include "compat.h"

#include "access/xact.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "tcop/utility.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

#include "core/args.h"
#include "core/error_facts.h"
#include "core/ids.h"
#include "core/locks.h"
#include "core/settings.h"
#include "message/base/catalog.h"
#include "message/base/engine.h"
#include "message/base/limits.h"
#include "message/base/small_tables.h"
#include "message/base/wake.h"
#include "message/delivery/callers_cancel.h"
#include "message/delivery/handler.h"
#include "message/delivery/pass.h"
#include "message/log/capture.h"
#include "message/timer/turn.h"
#include "message/upkeep/enable.h"

/* Maximum number of timers fired before the next messages are read. */
#define TIMERS_A_ROUND 5000

typedef enum Source
{
	FROM_RETRIES,
	FROM_LOG,
	FROM_OWN
} Source;

/* What was appended during the call, and in how many parts its group was read. */
typedef struct OwnIds
{
	const int64 *ids;
	int			n;
	int16		parts;
} OwnIds;

/* A part of a group, copied: handlers may change the catalog. */
typedef struct GroupPart
{
	int32		group_id;
	int32		topic_id;
	LogPart		part;
} GroupPart;

/* A part in the call; next: its position in the list of ids appended during the call. */
typedef struct GroupInCall
{
	int32		group_id;
	int16		part;
	int			next;
	bool		stalled;		/* it needs locks, and this transaction may take no more */
} GroupInCall;

typedef struct Dispatch
{
	Oid			caller;
	int64		limit;
	int64		handled;
	MemoryContext context;		/* lives as long as the call */
	MemoryContext pass_context; /* reset after each pass */
	GroupInCall *groups;
	int			n_groups;
	bool		parts_are_old;	/* a group is read in others than this round has listed */
} Dispatch;

static bool dispatching = false;

/* ---- passes in subtransactions ---- */

static GroupInCall *
group_in_call(Dispatch *call, int32 group_id, int16 part)
{
	int			i;

	for (i = 0; i < call->n_groups; i++)
	{
		if (call->groups[i].group_id == group_id && call->groups[i].part == part)
			return &call->groups[i];
	}
	if (call->groups == NULL)
		call->groups = MemoryContextAlloc(call->context, sizeof(GroupInCall));
	else
		call->groups = repalloc(call->groups, sizeof(GroupInCall) * (call->n_groups + 1));
	call->groups[call->n_groups].group_id = group_id;
	call->groups[call->n_groups].part = part;
	call->groups[call->n_groups].next = 0;
	call->groups[call->n_groups].stalled = false;
	return &call->groups[call->n_groups++];
}

static void
run_pass(Pass *pass, Source source, const OwnIds *own)
{
	switch (source)
	{
		case FROM_RETRIES:
			pass_retries(pass, GetCurrentTimestamp());
			break;
		case FROM_LOG:
			pass_window(pass);
			break;
		case FROM_OWN:
			pass_inline(pass, own->parts, own->ids, own->n);
			break;
	}
}

/*
 * Run the pass in a subtransaction. Returns NULL if it succeeded, otherwise the failure, after
 * rolling it back.
 */
static Failure *
try_pass(Pass *pass, Source source, const OwnIds *own)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	Failure    *volatile failure = NULL;
	const LogAppended *ignored;
	int			appended = log_captured(&ignored);

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		run_pass(pass, source, own);
		ReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = owner;
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		failure = failure_from_error(true);
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = owner;
		log_capture_truncate(appended);
	}
	PG_END_TRY();
	return failure;
}

/* Run the pass: all at once if that succeeds, otherwise one by one. */
static void
run_pass_safely(Dispatch *call, Pass *pass, Source source, const OwnIds *own)
{
	GroupInCall *group = group_in_call(call, pass->group_id, pass->part);
	MemoryContext old = MemoryContextSwitchTo(call->pass_context);
	Failure    *failure;

	pass->in_dispatch = true;
	pass->only_run_as = call->caller;
	pass->builtin = true;
	pass->mode = PASS_SET;
	pass->limit = (int) Min(call->limit - call->handled, setting_batch_size);
	failure = try_pass(pass, source, own);
	if (failure != NULL)
	{
		if (pass->taken == 0 ||
			(failure_is_conflict(failure) && IsolationUsesXactSnapshot()))
			ereport(ERROR,
					(errcode(failure->sqlstate),
					 errmsg("%s", failure->message),
					 error_facts_again(failure->detail)));
		pass->mode = PASS_ISOLATED;
		pass->limit = pass->taken;
		run_pass(pass, source, own);
	}
	call->handled += pass->handled;
	if (pass->busy > 0 && lock_tries_used_up())
		group->stalled = true;
	MemoryContextSwitchTo(old);
	MemoryContextReset(call->pass_context);
}

/* ---- what was published during the call ---- */

/* Deliver the next of these messages to the part; false if there was nothing to deliver. */
static bool
deliver_own(Dispatch *call, const GroupPart *of)
{
	GroupInCall *group = group_in_call(call, of->group_id, of->part.part);
	int			limit = (int) Min(call->limit - call->handled, setting_batch_size);
	Pass		pass = {.group_id = of->group_id, .part = of->part.part};
	const LogAppended *appended;
	int			n_appended = log_captured(&appended);
	int			next = group->next;
	Size		room = BATCH_BYTES;
	int64	   *ids;
	int			n = 0;

	if (group->stalled || next >= n_appended || limit <= 0)
		return false;
	ids = palloc(sizeof(int64) * limit);
	for (; next < n_appended && n < limit && room > 0; next++)
	{
		if (appended[next].topic_id != of->topic_id ||
			of->part.part != appended[next].shard % of->part.parts)
			continue;
		ids[n++] = appended[next].message_id;
		room -= Min(room, appended[next].bytes);
	}
	if (n > 0)
	{
		OwnIds		own = {ids, n, of->part.parts};

		qsort(ids, n, sizeof(int64), id_compare);
		run_pass_safely(call, &pass, FROM_OWN, &own);
	}
	pfree(ids);
	/* as other parts, whose number nobody can change any more, they come in the next round */
	call->parts_are_old |= pass.switched;
	if (pass.locked || pass.switched)
		return false;
	/* the array cannot have moved: run_pass_safely() already knows the group */
	group->next = next;
	return n > 0;
}

/* ---- rounds ---- */

/*
 * The group is now read in other parts. Ids in the list that one of the old parts has passed are
 * not for the new ones; those that others have left there wait for the commit.
 */
static void
parts_changed(Dispatch *call, int32 group_id)
{
	const ConsumerGroup *group = catalog_group_by_id(group_id);
	int			next = 0;
	int			part;
	int			i;

	for (i = 0; i < call->n_groups; i++)
	{
		if (call->groups[i].group_id == group_id)
			next = Max(next, call->groups[i].next);
	}
	for (part = 0; group != NULL && part < group->parts; part++)
		group_in_call(call, group_id, (int16) part)->next = next;
}

/* Do everything that the part has to do now; returns whether there was anything. */
static bool
dispatch_part(Dispatch *call, const GroupPart *of)
{
	bool		worked = false;
	Pass		pass;
	Source		source;

	for (source = FROM_RETRIES; source <= FROM_LOG; source++)
	{
		do
		{
			if (call->handled >= call->limit ||
				group_in_call(call, of->group_id, of->part.part)->stalled)
				return worked;
			memset(&pass, 0, sizeof(pass));
			pass.group_id = of->group_id;
			pass.part = of->part.part;
			run_pass_safely(call, &pass, source, NULL);
			if (!pass.locked)
				wake_note_topic(of->topic_id);	/* a worker may have found the part locked by us */
			worked |= pass.handled > 0;
			if (pass.switched)
			{
				parts_changed(call, of->group_id);
				return true;
			}
		} while (pass.more);
	}
	while (call->handled < call->limit && deliver_own(call, of))
		worked = true;
	return worked;
}

/* Publish due timers; returns whether there were any. */
static bool
fire_timers(Dispatch *call)
{
	EngineScope scope;
	int64		fired;

	engine_enter(&scope);
	fired = timers_fire_due(Min(call->limit - call->handled, TIMERS_A_ROUND));
	engine_leave(&scope);
	return fired > 0;
}

static bool
dispatch_round(Dispatch *call)
{
	const ConsumerGroup *groups;
	int			n;
	int			i;
	GroupPart  *parts;
	int			n_parts = 0;
	bool		worked;

	worked = fire_timers(call);
	call->parts_are_old = false;

	n = catalog_groups(&groups);
	parts = palloc(sizeof(GroupPart) * (n * MAX_PARTS + 1));
	for (i = 0; i < n; i++)
	{
		int16		part;

		for (part = 0; part < groups[i].parts; part++)
		{
			parts[n_parts].group_id = groups[i].id;
			parts[n_parts].topic_id = groups[i].topic_id;
			parts[n_parts].part.part = part;
			parts[n_parts++].part.parts = groups[i].parts;
		}
	}
	for (i = 0; i < n_parts && call->handled < call->limit; i++)
	{
		if (dispatch_part(call, &parts[i]))
			worked = true;
	}
	pfree(parts);
	return worked || call->parts_are_old;
}

static void
check_dispatch_possible(void)
{
	PreventCommandIfReadOnly("dispatch()");
	if (dispatching || handler_running_group() != 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("dispatch() cannot be called by a handler"),
				 errhint("Messages published by a handler are delivered without it.")));
	enable_check_stamp();
	small_tables_check_snapshot();
}

/*
 * dispatch(max_messages): SECURITY INVOKER, since it runs only handlers for which the caller has
 * privileges. The engine's own reads and writes check no privileges; its SQL and the built-in
 * handlers run as the owner (base/engine.h).
 */
PG_FUNCTION_INFO_V1(order_ext_dispatch);
Datum
order_ext_dispatch(PG_FUNCTION_ARGS)
{
	Dispatch	call = {.caller = GetUserId(), .limit = PG_INT64_MAX};

	if (!PG_ARGISNULL(0))
		call.limit = arg_count(fcinfo, 0, "max_messages", PG_INT32_MAX);
	check_dispatch_possible();
	call.context = AllocSetContextCreate(CurrentMemoryContext, "order_ext dispatch",
										 ALLOCSET_DEFAULT_SIZES);
	call.pass_context = AllocSetContextCreate(call.context, "order_ext pass",
											  ALLOCSET_DEFAULT_SIZES);
	PG_TRY();
	{
		dispatching = true;
		callers_cancel_watch();
		log_capture_begin(call.context);
		while (dispatch_round(&call) && call.handled < call.limit)
			CHECK_FOR_INTERRUPTS();
	}
	PG_FINALLY();
	{
		dispatching = false;
		callers_cancel_unwatch();
		log_capture_end();
	}
	PG_END_TRY();
	MemoryContextDelete(call.context);
	PG_RETURN_INT64(call.handled);
}

/*
 * dispatcher_turn.c
 *		The dispatcher's turn; see dispatcher_turn.h.
 *
 * For every group that may have work, a turn runs one batch of due retries and one batch of the
 * log, each in its own transaction; of a long backlog that no other group has to wait for, several
 * batches. A batch first runs as a whole. If that fails, the same messages (the batch was rolled
 * back, so they are the next ones again) are run isolated, and if that also fails as a whole, for
 * instance because of a deferred constraint at commit, one per transaction.
 */
#include "compat.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

#include "core/clock.h"
#include "core/error_facts.h"
#include "core/settings.h"
#include "message/base/catalog.h"
#include "message/base/engine.h"
#include "message/base/limits.h"
#include "message/base/rights.h"
#include "message/base/wake.h"
#include "message/delivery/dispatcher_turn.h"
#include "message/delivery/hand_on.h"
#include "message/delivery/parts.h"
#include "message/delivery/pass.h"
#include "message/delivery/session.h"
#include "message/delivery/time_limit.h"

/* How long to wait for a group that another transaction is working on. */
#define LOCKED_PAUSE_MS 100

/* Conflicts of a whole batch before it is isolated. */
#define MAX_SET_CONFLICTS 3

/* How long to wait for batches in progress before changing a group's parts. */
#define MIN_PATIENCE_MS 1000
#define MAX_PATIENCE_MS 30000

/* How a source of a group's messages, the log or its retries, is being read. */
typedef struct Lane
{
	int			alone_left;		/* this many messages still run one batch per transaction */
	int			isolate_left;	/* this many messages still run isolated */
	bool		single;			/* ... and one per transaction */
} Lane;

typedef struct PartKey
{
	int32		group_id;
	int32		part;
} PartKey;

/* What this process knows about a part of a group. */
typedef struct PartState
{
	PartKey		key;
	int32		topic_id;
	bool		ours;			/* other dispatchers handle it only if we do not */
	bool		builtin;
	bool		adapted;
	int			handler_timeout;	/* milliseconds; 0: none */
	bool		listed;			/* seen in the current listing */
	bool		again;			/* the log has more for it, or has not been checked yet */
	TimestampTz locked_until;	/* 0 = not locked elsewhere */
	TimestampTz next_retry;
	Lane		log;
	Lane		retries;
} PartState;

static HTAB *part_states = NULL;

static HTAB *
get_part_states(void)
{
	HASHCTL		control = {.keysize = sizeof(PartKey), .entrysize = sizeof(PartState)};

	if (part_states == NULL)
		part_states = hash_create("order_ext groups", 64, &control, HASH_ELEM | HASH_BLOBS);
	return part_states;
}

/* A group whose number of parts is not the desired one; 0 = none. */
static int32 misparted_group = 0;
static int32 misparted_topic;

static DispatcherRole served = {.builtin = true, .count = 1};

/* The catalog that the states were listed from; 0: to be listed again. */
static uint64 listed_generation = 0;

/* Topic bits of the groups served, and those that several groups share. */
static uint64 served_topics = 0;
static uint64 shared_topics = 0;

static const DispatcherWatch *watcher = NULL;

void
dispatcher_watch(const DispatcherWatch *watch)
{
	watcher = watch;
}

static void
group_begins(int32 topic_id, TimestampTz others_due, int handler_timeout)
{
	uint64		bit = WAKE_TOPIC_BIT(topic_id);

	if (watcher != NULL)
		watcher->begins((served_topics & ~bit) | (shared_topics & bit), others_due,
						handler_timeout);
}

static void
group_ends(void)
{
	if (watcher != NULL)
		watcher->ends();
}

void
dispatcher_serve(const DispatcherRole *role)
{
	if (served.role != role->role || served.builtin != role->builtin ||
		served.ordinal != role->ordinal || served.count != role->count)
		listed_generation = 0;
	served = *role;
}

bool
dispatcher_serves(const ConsumerGroup *group)
{
	if (group->paused || catalog_group_is_external(group))
		return false;
	if (group->builtin)
		return served.builtin;
	return rights_runs_as(&group->run_as, served.role);
}

static void
list_part(const ConsumerGroup *group, int part)
{
	PartKey		key = {.group_id = group->id, .part = part};
	PartState  *state;
	bool		found;

	state = hash_search(part_states, &key, HASH_ENTER, &found);
	if (!found)
	{
		memset(state, 0, sizeof(PartState));
		state->key = key;
		state->again = true;
		state->next_retry = DT_NOEND;
	}
	state->topic_id = group->topic_id;
	state->builtin = group->builtin;
	state->adapted = group->adapted;
	state->handler_timeout = time_limit_of(group);
	state->ours = (part % served.count == served.ordinal);
	state->listed = true;
}

/* Update the states from the catalog. */
static void
list_groups(void)
{
	HASH_SEQ_STATUS all;
	PartState  *state;
	const ConsumerGroup *groups;
	int			n;
	int			i;

	hash_seq_init(&all, get_part_states());
	while ((state = hash_seq_search(&all)) != NULL)
		state->listed = false;

	misparted_group = 0;
	served_topics = 0;
	shared_topics = 0;
	engine_begin_transaction();
	listed_generation = 0;
	n = catalog_stamp_is_own() ? catalog_groups(&groups) : 0;
	for (i = 0; i < n; i++)
	{
		int			part;

		if (!dispatcher_serves(&groups[i]))
			continue;
		shared_topics |= served_topics & WAKE_TOPIC_BIT(groups[i].topic_id);
		served_topics |= WAKE_TOPIC_BIT(groups[i].topic_id);
		for (part = 0; part < groups[i].parts; part++)
			list_part(&groups[i], part);
		if (served.ordinal == 0 && groups[i].barrier == NULL && groups[i].parts != parts_wanted())
		{
			misparted_group = groups[i].id;
			misparted_topic = groups[i].topic_id;
		}
	}
	listed_generation = catalog_generation();
	engine_commit_transaction();

	hash_seq_init(&all, part_states);
	while ((state = hash_seq_search(&all)) != NULL)
	{
		if (!state->listed)
			(void) hash_search(part_states, &state->key, HASH_REMOVE, NULL);
	}
}

/*
 * Run a pass in a transaction, and what follows from it. Returns NULL if it was committed,
 * otherwise the failure.
 */
static Failure *
pass_in_transaction(Pass *pass, bool of_retries, bool hands_on)
{
	MemoryContext context = CurrentMemoryContext;
	Failure    *volatile failure = NULL;

	PG_TRY();
	{
		engine_begin_transaction();
		if (hands_on)
			hand_on_begin();
		if (of_retries)
			pass_retries(pass, GetCurrentTimestamp());
		else
			pass_window(pass);
		if (hands_on)
			pass->handed_on = hand_on_of_pass(pass->group_id);
		engine_commit_transaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		failure = failure_from_error(false);
		AbortCurrentTransaction();
	}
	PG_END_TRY();
	session_clean();
	MemoryContextSwitchTo(context);
	return failure;
}

static bool
nobody_waits(void)
{
	return !ProcDiePending && !watcher->lets_wait();
}

static void
choose_mode(Pass *pass, const Lane *lane, bool always_isolated)
{
	if (lane->isolate_left > 0 || always_isolated)
	{
		pass->mode = PASS_ISOLATED;
		pass->limit = lane->single ? 1 : ISOLATED_BATCH;
		if (lane->isolate_left > 0)
			pass->limit = Min(pass->limit, lane->isolate_left);
	}
	else
	{
		pass->mode = PASS_SET;
		pass->limit = setting_batch_size;
	}
	pass->may_go_on = watcher != NULL && lane->alone_left == 0 ? nobody_waits : NULL;
}

/* The pass failed as a whole: decide what to do differently next time. */
static void
learn_from_failure(Pass *pass, Lane *lane, Failure *failure, int conflicts)
{
	int			allowed = pass->mode == PASS_SET ? MAX_SET_CONFLICTS : MAX_CONFLICTS;

	/* No message was passed to a handler: the engine itself has a problem. */
	if (pass->taken == 0 || pass->mode == PASS_GIVE_UP)
		ereport(ERROR,
				(errcode(failure->sqlstate),
				 errmsg("%s", failure->message),
				 error_facts_again(failure->detail)));
	if (pass->batches > 1)
		lane->alone_left = pass->taken;
	if (failure_is_conflict(failure) && conflicts < allowed)
		return;
	if (pass->batches > 1)
		return;
	if (pass->mode == PASS_SET)
		lane->isolate_left = pass->taken;
	else if (pass->limit > 1)
	{
		lane->isolate_left = pass->taken;
		lane->single = true;
	}
	else
	{
		pass->mode = PASS_GIVE_UP;
		pass->failure = failure;
		pass->failed_id = pass->first.id;
	}
}

static void
leave_behind(Lane *lane, const Pass *pass)
{
	lane->alone_left = Max(lane->alone_left - pass->finished, 0);
	lane->isolate_left = Max(lane->isolate_left - pass->finished, 0);
	if (pass->taken == 0)
		lane->alone_left = lane->isolate_left = 0;
	if (lane->isolate_left == 0)
		lane->single = false;
}

/*
 * Run passes of a lane until one is committed. Returns the number of messages handled; see *pass
 * for the rest.
 */
static void
run_lane(PartState *state, Lane *lane, bool of_retries, Pass *pass)
{
	Failure    *failure;
	int			conflicts = 0;

	memset(pass, 0, sizeof(Pass));
	pass->group_id = state->key.group_id;
	pass->part = state->key.part;
	pass->only_run_as = served.role;
	pass->builtin = served.builtin;
	for (;;)
	{
		CHECK_FOR_INTERRUPTS();
		if (pass->mode != PASS_GIVE_UP)
		{
			choose_mode(pass, lane, state->adapted || (of_retries && !state->builtin));
			pass->began = GetCurrentTimestamp();
		}
		failure = pass_in_transaction(pass, of_retries,
									  state->builtin && pass->mode == PASS_SET);
		if (failure == NULL)
			break;
		if (failure_is_conflict(failure))
			conflicts++;
		learn_from_failure(pass, lane, failure, conflicts);
	}

	if (!pass->locked)
		leave_behind(lane, pass);

	state->next_retry = pass->locked ? state->next_retry : pass->next_retry;
	state->locked_until = pass->locked || pass->waits
		? TimestampTzPlusMilliseconds(GetCurrentTimestamp(), LOCKED_PAUSE_MS) : 0;
}

static void
run_group(PartState *state, int64 *messages, int64 *batches)
{
	Pass		pass;

	if (state->next_retry <= GetCurrentTimestamp())
	{
		run_lane(state, &state->retries, true, &pass);
		*messages += pass.handled + pass.handed_on;
		*batches += (pass.handled > 0);
	}
	if (state->again && state->locked_until == 0)
	{
		run_lane(state, &state->log, false, &pass);
		*messages += pass.handled + pass.handed_on;
		*batches += pass.handled > 0 ? pass.batches : 0;
		state->again = pass.more || pass.locked || pass.waits;
	}
}

/*
 * One of the role's dispatchers makes sure that groups are read in as many parts as there are
 * dispatchers, one group after the other. It waits longer and longer if batches take long.
 * Returns when to check again, DT_NOEND if there is no need.
 */
static TimestampTz
aim_parts(void)
{
	static TimestampTz not_before = 0;
	static int	patience_ms = MIN_PATIENCE_MS;
	TimestampTz now = GetCurrentTimestamp();
	bool		aimed;

	if (misparted_group == 0)
		return DT_NOEND;
	if (!clock_pause_is_over(not_before, MAX_PATIENCE_MS * INT64CONST(1000), now))
		return not_before;
	group_begins(misparted_topic, now, setting_handler_timeout);
	aimed = parts_aim(misparted_group, patience_ms);
	group_ends();
	if (aimed)
	{
		patience_ms = MIN_PATIENCE_MS;
		return now;
	}
	patience_ms = Min(2 * patience_ms, MAX_PATIENCE_MS);
	not_before = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), patience_ms);
	return not_before;
}

/* When there is something to do for a part. */
static TimestampTz
next_time(const PartState *state, TimestampTz now)
{
	return Max(state->again ? now : state->next_retry, state->locked_until);
}

/* The parts that have something to do now; *others_due is when the next of the rest has. */
static PartKey *
parts_to_run(uint64 topic_bits, int *n, TimestampTz *others_due)
{
	PartKey    *keys = palloc(sizeof(PartKey) * (hash_get_num_entries(part_states) + 1));
	TimestampTz now = GetCurrentTimestamp();
	HASH_SEQ_STATUS all;
	PartState  *state;

	*n = 0;
	*others_due = DT_NOEND;
	hash_seq_init(&all, part_states);
	while ((state = hash_seq_search(&all)) != NULL)
	{
		if ((topic_bits & WAKE_TOPIC_BIT(state->topic_id)) && !state->again)
		{
			state->again = true;
			if (!state->ours)
				state->locked_until = TimestampTzPlusMilliseconds(now, LOCKED_PAUSE_MS);
		}
		if (clock_pause_is_over(state->locked_until, LOCKED_PAUSE_MS * INT64CONST(1000), now))
			state->locked_until = 0;
		if (next_time(state, now) <= now)
			keys[(*n)++] = state->key;
		else
			*others_due = Min(*others_due, next_time(state, now));
	}
	return keys;
}

bool
dispatcher_turn(uint64 topic_bits, TimestampTz *next_wakeup, int64 *messages, int64 *batches)
{
	MemoryContext context = CurrentMemoryContext;
	TimestampTz next_aim;
	TimestampTz others_due;
	TimestampTz now;
	PartKey    *keys;
	int			n;
	int			i;

	/* Changes of the catalog set all bits; roles change without. */
	if (topic_bits == WAKE_ALL_TOPICS || listed_generation != catalog_generation())
		list_groups();
	next_aim = aim_parts();
	MemoryContextSwitchTo(context);
	keys = parts_to_run(topic_bits, &n, &others_due);
	for (i = 0; i < n; i++)
	{
		PartState  *state = hash_search(part_states, &keys[i], HASH_FIND, NULL);

		group_begins(state->topic_id, i + 1 < n ? DT_NOBEGIN : others_due,
					 state->handler_timeout);
		run_group(state, messages, batches);
		group_ends();
		others_due = Min(others_due, next_time(state, GetCurrentTimestamp()));
	}
	pfree(keys);

	now = GetCurrentTimestamp();
	*next_wakeup = Min(others_due, next_aim);
	return *next_wakeup <= now;
}

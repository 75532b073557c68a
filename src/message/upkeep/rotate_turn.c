/*
 * rotate_turn.c
 *		When the tables are maintained: by the scheduler process and by maintain(); see
 *		rotate_turn.h.
 *
 * While something is being written, the scheduler checks every few seconds; otherwise only at the
 * times that the last round requested: an idle database is left alone.
 */
#include "compat.h"

#include "miscadmin.h"

#include "core/settings.h"
#include "message/base/engine.h"
#include "message/upkeep/backlog.h"
#include "message/upkeep/compact.h"
#include "message/upkeep/follow_roles.h"
#include "message/upkeep/rotate.h"
#include "message/upkeep/rotate_turn.h"
#include "message/upkeep/sequences.h"
#include "message/upkeep/summarize.h"

/* The maximum time between two rounds while something is being written. */
#define LONGEST_INTERVAL (60 * USECS_PER_SEC)

/* How often small tables are checked while something is being written. */
#define COMPACTION_INTERVAL (5 * USECS_PER_SEC)

/* How long a compaction waits for a table, and others behind it. */
#define COMPACTION_PATIENCE_MS 100

static TimestampTz last_round = 0;
static TimestampTz next_round = 0;
static TimestampTz last_compaction = 0;

/* The rings' own periods determine how often that is necessary. */
static int64
interval(void)
{
	int64		tenth = setting_log_retention * USECS_PER_SEC / 10;

	return Max(USECS_PER_SEC, Min(tenth, LONGEST_INTERVAL));
}

typedef TimestampTz (*RingStep) (Ring ring, TimestampTz now);

/* A step in its own transaction, so that its locks are held no longer. */
static TimestampTz
ring_step(RingStep step, Ring ring)
{
	EngineScope scope;
	TimestampTz next;

	engine_begin_transaction();
	engine_enter(&scope);
	next = step(ring, GetCurrentTimestamp());
	engine_leave(&scope);
	engine_commit_transaction();
	return next;
}

static bool
compact_one(int32 i)
{
	return compact_table(i);
}

/* A table whose lock cannot be obtained soon is left for later. */
static bool
compaction(int i)
{
	return engine_try_transaction(compact_one, i, COMPACTION_PATIENCE_MS, true);
}

static bool
summarize_some(int32 arg)
{
	return summarize_log();
}

/* Between two turns of other work, as often as small tables are checked. */
static void
summary_turn(bool wrote, TimestampTz now, TimestampTz *next_wakeup)
{
	static TimestampTz next = 0;

	if (wrote && next == DT_NOEND)
		next = now + COMPACTION_INTERVAL;
	if (now >= next || (next != DT_NOEND && next > now + COMPACTION_INTERVAL))
		next = engine_try_transaction(summarize_some, 0, COMPACTION_PATIENCE_MS, false)
			? now : DT_NOEND;
	*next_wakeup = Min(*next_wakeup, next);
}

static void
compaction_turn(bool wrote, TimestampTz now, TimestampTz *next_wakeup)
{
	static TimestampTz next = DT_NOEND;
	int			i = 0;

	if (now < last_compaction)
		last_compaction = 0;	/* the clock has been set back */
	if (wrote)
		next = Min(next, last_compaction + COMPACTION_INTERVAL);
	if (now >= next)
	{
		while (compaction(i))
			i++;
		last_compaction = now;
		next = compact_postponed();
	}
	*next_wakeup = Min(*next_wakeup, next);
}

/* What a round looks at besides the rings. */
static TimestampTz
backlog_and_neighbors(void)
{
	EngineScope scope;
	TimestampTz next;

	engine_begin_transaction();
	engine_enter(&scope);
	follow_roles();
	sequences_raise_newest();
	next = backlog_check(GetCurrentTimestamp());
	engine_leave(&scope);
	engine_commit_transaction();
	return next;
}

void
rotate_turn(bool wrote, TimestampTz *next_wakeup)
{
	TimestampTz now = GetCurrentTimestamp();
	Ring		ring;

	compaction_turn(wrote, now, next_wakeup);
	summary_turn(wrote, now, next_wakeup);
	/* The third condition covers a clock that was set back. */
	if (now < next_round && !(wrote && now >= last_round + interval()) && now >= last_round)
	{
		*next_wakeup = Min(*next_wakeup, next_round);
		return;
	}
	next_round = DT_NOEND;
	for (ring = 0; ring < RINGS; ring++)
	{
		TimestampTz next;

		do
			next = ring_step(rotate_truncate, ring);
		while (next == ROTATE_TRUNCATED);
		next_round = Min(next_round, next);
		next_round = Min(next_round, ring_step(rotate_advance, ring));
	}
	next_round = Min(next_round, backlog_and_neighbors());
	last_round = GetCurrentTimestamp();
	next_round = Max(next_round, last_round + USECS_PER_SEC);
	*next_wakeup = Min(*next_wakeup, next_round);
}

void
rotate_forget(void)
{
	next_round = 0;
}

void
rotate_now(bool may_truncate)
{
	TimestampTz now = GetCurrentTimestamp();
	Ring		ring;
	int			i = 0;

	if (!catalog_stamp_is_own())
		return;					/* cursors have no meaning here yet (base/stamp.c) */
	for (ring = 0; ring < RINGS; ring++)
	{
		while (may_truncate && rotate_truncate(ring, now) == ROTATE_TRUNCATED)
			;
		(void) rotate_advance(ring, now);
	}
	while (may_truncate && compact_table_if_free(i))
		i++;
	while (may_truncate && summarize_log())
		;
	(void) backlog_check(now);
	follow_roles();
	sequences_raise_newest();
}

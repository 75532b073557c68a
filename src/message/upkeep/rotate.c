/*
 * rotate.c
 *		The rings: moving on, and truncating what all groups are past; see rotate.h.
 *
 * A move is a row in ring_moves, which publishers know from the catalog cache: no one waits for
 * it. Transactions that began earlier may still write to the previous segment, so a segment is
 * truncated under a lock that is taken only if it is free: while it is held, no transaction is
 * writing there, and one more check shows whether any group needs what was written. A log that
 * cannot move on because the next segment is still needed grows in its current segment.
 */
#include "compat.h"

#include "access/transam.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/snapmgr.h"
#include "utils/xid8.h"

#include "core/append.h"
#include "core/internal.h"
#include "core/locks.h"
#include "core/settings.h"
#include "core/spi_util.h"
#include "message/base/engine.h"
#include "message/log/dedup.h"
#include "message/log/log.h"
#include "message/log/progress.h"
#include "message/upkeep/rotate.h"
#include "message/upkeep/summarize.h"

/* A ring moves on at most this often, and a failed attempt is repeated after this time. */
#define SHORTEST_PERIOD USECS_PER_SEC
#define RETRY_AFTER USECS_PER_SEC

/* Rows that a late transaction may have published to a closed segment. */
#define STRAGGLERS (60 * USECS_PER_SEC)

/*
 * The number of rows of ring_moves that are kept, and the name under which the last truncation is
 * recorded.
 */
#define MOVES_KEPT 64
#define LOG_GONE "log_gone"

/* The tables of each ring; those of the log belong together. */
static const char *const ring_tables[RINGS][2] = {
	{"message_log_%d", "attempts_%d"},
	{"dedup_%d", NULL}
};

#define TRUNCATE_LOG(n) \
	SAVED_PLAN_NO_ARGS("TRUNCATE order_ext_internal.message_log_" n "," \
					   " order_ext_internal.attempts_" n)
#define TRUNCATE_DEDUP(n) SAVED_PLAN_NO_ARGS("TRUNCATE order_ext_internal.dedup_" n)

static SavedPlan truncate_segment[RINGS][RING_SEGMENTS] = {
	{TRUNCATE_LOG("0"), TRUNCATE_LOG("1"), TRUNCATE_LOG("2"), TRUNCATE_LOG("3")},
	{TRUNCATE_DEDUP("0"), TRUNCATE_DEDUP("1"), TRUNCATE_DEDUP("2"), TRUNCATE_DEDUP("3")}
};

/* When a segment was closed: the move that followed its last opening. */
static SavedPlan find_closed = SAVED_PLAN(
	"SELECT moved_at FROM order_ext_internal.ring_moves"
	" WHERE ring = $1 AND seq > coalesce((SELECT seq FROM order_ext_internal.ring_moves"
	"  WHERE ring = $1 AND segment = $2 ORDER BY seq DESC LIMIT 1), 0)"
	" ORDER BY seq LIMIT 1",
	TEXTOID, INT2OID);

static SavedPlan newest_seq = SAVED_PLAN(
	"SELECT seq FROM order_ext_internal.ring_moves WHERE ring = $1 ORDER BY seq DESC LIMIT 1",
	TEXTOID);

static SavedPlan forget_moves = SAVED_PLAN(
	"DELETE FROM order_ext_internal.ring_moves WHERE ring = $1 AND seq < $2",
	TEXTOID, INT8OID);

static SavedPlan longest_dedup_window = SAVED_PLAN_NO_ARGS(
	"SELECT dedup_window FROM order_ext_internal.topics ORDER BY dedup_window DESC LIMIT 1");

/*
 * Taken keys of messages that can neither be replayed any more, as the log before $1 is gone, nor
 * redriven. Some at a time.
 */
static SavedPlan forget_taken = SAVED_PLAN(
	"DELETE FROM order_ext_internal.dedup_taken WHERE message_id IN ("
	" SELECT t.message_id FROM order_ext_internal.dedup_taken t"
	" WHERE t.taken_at < $1 AND NOT EXISTS ("
	"  SELECT FROM order_ext_internal.consumer_groups g"
	"  JOIN order_ext_internal.dead_messages d"
	"   ON d.group_id = g.group_id AND d.message_id = t.message_id"
	"  WHERE g.topic_id = t.topic_id)"
	" ORDER BY t.message_id LIMIT 10000)",
	TIMESTAMPTZOID);

/* ---- current state ---- */

static Oid
segment_relation(Ring ring, int segment, int which)
{
	return internal_relation(psprintf(ring_tables[ring][which], segment));
}

static int64
segment_blocks(Ring ring, int segment)
{
	int64		blocks = internal_relation_blocks(segment_relation(ring, segment, 0));

	if (ring_tables[ring][1] != NULL)
		blocks += internal_relation_blocks(segment_relation(ring, segment, 1));
	return blocks;
}

int64
rotate_log_bytes(void)
{
	int64		blocks = 0;
	int			i;

	for (i = 0; i < RING_SEGMENTS; i++)
		blocks += internal_relation_blocks(segment_relation(RING_LOG, i, 0));
	return blocks * BLCKSZ;
}

/* The minimum time for which rows of a ring are kept. */
static int64
ring_retention(Ring ring)
{
	int32		seconds = DEFAULT_DEDUP_WINDOW;

	if (ring == RING_LOG)
		seconds = setting_log_retention;
	else if (plan_query(&longest_dedup_window, NULL, NULL, 1) > 0)
		seconds = row_int32(0, 1);
	return seconds * USECS_PER_SEC;
}

/* ---- moving on ---- */

static void
append_move(const char *ring, int64 seq, int segment, TimestampTz at)
{
	Appender   *appender = append_open("ring_moves");
	Datum		values[5];

	values[0] = Int64GetDatum(seq);
	values[1] = CStringGetTextDatum(ring);
	values[2] = Int16GetDatum(segment);
	values[3] = TimestampTzGetDatum(at);
	values[4] = FullTransactionIdGetDatum(GetTopFullTransactionId());
	append_row(appender, values, NULL);
	append_close(appender);
}

static void
move_to(Ring ring, int64 seq, int segment, TimestampTz now)
{
	Datum		values[2];

	append_move(catalog_ring_names[ring], seq, segment, now);
	values[0] = CStringGetTextDatum(catalog_ring_names[ring]);
	values[1] = Int64GetDatum(seq - MOVES_KEPT);
	plan_write(&forget_moves, values, NULL, 0);
	catalog_changed("ring_moves");
}

TimestampTz
rotate_advance(Ring ring, TimestampTz now)
{
	RingState	state;
	int64		period;
	int64		blocks;
	int			next;

	if (!lock_try(LOCK_ROTATION, ring))
		return now + RETRY_AFTER;
	AcceptInvalidationMessages();
	state = *catalog_ring_state(ring);
	period = Max(ring_retention(ring) / (RING_SEGMENTS - 2), SHORTEST_PERIOD);
	blocks = segment_blocks(ring, state.current);
	if (blocks == 0)
		return DT_NOEND;
	if (state.seq == 0)
	{
		/* its age counts from now */
		move_to(ring, 1, state.current, now);
		return now + period;
	}
	if (now < state.moved_at + period && now >= state.moved_at &&
		(ring != RING_LOG || blocks * (BLCKSZ / 1024) < setting_log_segment_size))
		return state.moved_at + period;
	next = (state.current + 1) % RING_SEGMENTS;
	if (segment_blocks(ring, next) > 0)
		return DT_NOEND;		/* as soon as it has been truncated */
	move_to(ring, state.seq + 1, next, now);
	return now + period;
}

/* ---- truncating ---- */

/* Whether the group has still to read rows of the segment. */
static bool
group_needs_segment(const ConsumerGroup *group, int segment)
{
	int16		part;

	for (part = 0; part < group->parts; part++)
	{
		Progress	progress;
		LogWindow	window;

		progress_load(group, part, &progress);
		progress_window(group, &progress, &window);
		if (log_segment_waiting(segment, &window))
			return true;
	}
	return false;
}

/* Whether a group still needs rows of a log segment, judging by what is committed now. */
static bool
ring_log_segment_needed(int segment)
{
	const ConsumerGroup *groups;
	int			n = catalog_groups(&groups);
	bool		needed = false;
	int			i;

	PushActiveSnapshot(GetLatestSnapshot());
	for (i = 0; i < n && !needed; i++)
	{
		CHECK_FOR_INTERRUPTS();
		needed = group_needs_segment(&groups[i], segment);
	}
	PopActiveSnapshot();
	return needed;
}

static bool
lock_segment(Ring ring, int segment)
{
	return ConditionalLockRelationOid(segment_relation(ring, segment, 0), AccessExclusiveLock) &&
		(ring_tables[ring][1] == NULL ||
		 ConditionalLockRelationOid(segment_relation(ring, segment, 1), AccessExclusiveLock));
}

/* Tell verify() up to when the log has been truncated. */
static void
note_gone(TimestampTz closed_at, TimestampTz now)
{
	Datum		name = CStringGetTextDatum(LOG_GONE);
	int64		seq = 1;
	Datum		values[2];

	if (plan_query(&newest_seq, &name, NULL, 1) > 0)
		seq = row_int64(0, 1) + 1;
	append_move(LOG_GONE, seq, 0, Min(closed_at + STRAGGLERS, now));
	values[0] = name;
	values[1] = Int64GetDatum(seq - MOVES_KEPT);
	plan_write(&forget_moves, values, NULL, 0);
}

static TimestampTz
segment_closed_at(Ring ring, int segment, TimestampTz if_unknown)
{
	Datum		values[2];

	values[0] = CStringGetTextDatum(catalog_ring_names[ring]);
	values[1] = Int16GetDatum(segment);
	return plan_query(&find_closed, values, NULL, 1) > 0 ? row_timestamptz(0, 1) : if_unknown;
}

TimestampTz
rotate_truncate(Ring ring, TimestampTz now)
{
	TimestampTz next_try = DT_NOEND;
	int64		retention = ring_retention(ring);
	RingState	state;
	int			i;

	if (!lock_try(LOCK_ROTATION, ring))
		return now + RETRY_AFTER;
	AcceptInvalidationMessages();
	state = *catalog_ring_state(ring);
	for (i = 1; i < RING_SEGMENTS; i++)
	{
		int			segment = (state.current + i) % RING_SEGMENTS;
		TimestampTz closed_at;

		if (segment_blocks(ring, segment) == 0)
			continue;
		closed_at = segment_closed_at(ring, segment, state.moved_at);
		if (now < closed_at + retention)
		{
			next_try = Min(next_try, closed_at + retention);
			continue;
		}
		if (ring == RING_LOG && ring_log_segment_needed(segment))
			continue;			/* readers write when they are done, which makes us check again */
		if (!lock_segment(ring, segment))
		{
			next_try = Min(next_try, now + RETRY_AFTER);
			continue;
		}
		if (ring == RING_LOG)
		{
			if (ring_log_segment_needed(segment))
				continue;		/* a transaction was slow to commit */
			note_gone(closed_at, now);
		}
		plan_write(&truncate_segment[ring][segment], NULL, NULL, 0);
		if (ring == RING_LOG)
		{
			Datum		gone = TimestampTzGetDatum(closed_at);

			plan_write(&forget_taken, &gone, NULL, 0);
			summarize_anew(segment);
		}
		return ROTATE_TRUNCATED;
	}
	return next_try;
}

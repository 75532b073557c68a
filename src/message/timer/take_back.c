/*
 * take_back.c
 *		Taking back a timer that has not fired; see take_back.h.
 *
 * A timer of the ring cannot be deleted (its bucket is insert-only), so its id is noted in
 * timer_cancels. That note may be uncommitted when a firer comes along, and firing may be
 * uncommitted when somebody takes a timer back. Each therefore first does its own part and then
 * checks the other's: we write the note and then wait for the firing in progress; the firer takes
 * the timers lock and then looks for notes, including uncommitted ones (cancel.c). So we are
 * right no matter which commits first, and do not delay the firing of other timers: a timer whose
 * note is undecided goes to timers_far for a moment.
 *
 * A timer of timers_moved or timers_far is deleted there, except for one that was put into the
 * latter because of an undecided note: it goes by notes, or two could have it.
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "storage/lmgr.h"
#include "utils/snapmgr.h"

#include "core/errors.h"
#include "core/internal.h"
#include "core/locks.h"
#include "core/spi_util.h"
#include "message/timer/take_back.h"

typedef enum Place
{
	NOWHERE,
	MOVED,
	FAR,
	BY_NOTE						/* in the ring, or on its way back there */
} Place;

/* How often it may be found elsewhere than a moment ago. */
#define MAX_TRIES 5

#define ROW "message_id, key, due_at, published_at, topic_id, bound, payload"

/* Each bucket is asked by its index. */
static SavedPlan find_timer = SAVED_PLAN(
	"SELECT r.message_id, r.key, r.due_at, r.published_at, r.topic_id, r.bound, r.payload, false"
	" FROM order_ext_internal.timer_ring r"
	" LEFT JOIN LATERAL (SELECT p.fired_until, p.seen"
	"  FROM order_ext_internal.timer_progress p"
	"  WHERE p.bucket = r.bucket ORDER BY p.seq DESC LIMIT 1) p ON true"
	" WHERE r.message_id = $1"
	"  AND (p.seen IS NULL OR r.due_at > p.fired_until"
	"   OR NOT pg_visible_in_snapshot(r.xid, p.seen))"
	"  AND NOT EXISTS (SELECT FROM order_ext_internal.timer_ahead a"
	"   WHERE a.bucket = r.bucket AND r.message_id = ANY (a.message_ids))"
	" UNION ALL"
	" SELECT " ROW ", xid <> '0' FROM order_ext_internal.timers_far WHERE message_id = $1",
	INT8OID);

static SavedPlan find_moved = SAVED_PLAN(
	"SELECT message_id, key, due_at, published_at, topic_id, NULL::smallint, payload"
	" FROM order_ext_internal.timers_moved WHERE message_id = $1", INT8OID);

static SavedPlan find_note = SAVED_PLAN(
	"SELECT FROM order_ext_internal.timer_cancels WHERE message_id = $1", INT8OID);

static SavedPlan delete_far = SAVED_PLAN(
	"DELETE FROM order_ext_internal.timers_far WHERE message_id = $1", INT8OID);

static SavedPlan delete_moved = SAVED_PLAN(
	"DELETE FROM order_ext_internal.timers_moved WHERE message_id = $1", INT8OID);

static SavedPlan insert_note = SAVED_PLAN(
	"INSERT INTO order_ext_internal.timer_cancels (message_id, canceled_at)"
	" VALUES ($1, clock_timestamp()) ON CONFLICT DO NOTHING", INT8OID);

static SavedPlan delete_note = SAVED_PLAN(
	"DELETE FROM order_ext_internal.timer_cancels WHERE message_id = $1", INT8OID);

/* The order matters: a timer that was moved may have left a row, and a note, in the ring. */
static Place
look(Datum message_id, bool heeds_note, DueTimer *timer)
{
	if (OidIsValid(internal_relation_or_none("timers_moved")) &&
		plan_query_in_snapshot(&find_moved, &message_id, NULL, 1) > 0)
	{
		timer_rows_read(1, timer);
		return MOVED;
	}
	if (heeds_note && plan_query_in_snapshot(&find_note, &message_id, NULL, 1) > 0)
		return NOWHERE;
	if (plan_query_in_snapshot(&find_timer, &message_id, NULL, 1) == 0)
		return NOWHERE;
	timer_rows_read(1, timer);
	return row_bool(0, 8) ? FAR : BY_NOTE;
}

/* What is committed now, and our own changes; heeds_note: a noted timer is nowhere. */
static Place
place_now(Datum message_id, bool heeds_note, DueTimer *timer)
{
	Place		place;

	PushActiveSnapshot(GetLatestSnapshot());
	place = look(message_id, heeds_note, timer);
	PopActiveSnapshot();
	return place;
}

/* Kept, so that they are not rewritten between the snapshot and the check (upkeep/compact.c). */
static void
hold_tables(void)
{
	LockRelationOid(internal_relation("timer_progress"), AccessShareLock);
	LockRelationOid(internal_relation("timer_ahead"), AccessShareLock);
	LockRelationOid(internal_relation("timer_cancels"), AccessShareLock);
}

bool
timer_find(int64 message_id, DueTimer *timer)
{
	hold_tables();
	return place_now(Int64GetDatum(message_id), true, timer) != NOWHERE;
}

/* False if another one has noted it, or it is no longer where a note counts. */
static bool
take_by_note(Datum message_id, DueTimer *timer)
{
	Place		place;

	if (plan_write(&insert_note, &message_id, NULL, 0) == 0)
		return false;
	lock_pass(LOCK_TIMERS, 0);
	place = place_now(message_id, false, timer);
	if (place == FAR || place == BY_NOTE)
		return true;
	plan_write(&delete_note, &message_id, NULL, 0);
	return false;
}

bool
timer_take_back(DueTimer *timer)
{
	Datum		message_id = Int64GetDatum(timer->entry.message_id);
	int			i;

	for (i = 0; i < MAX_TRIES; i++)
	{
		Place		place = place_now(message_id, true, timer);

		if (place == NOWHERE)
			return false;
		if (place == MOVED && plan_write(&delete_moved, &message_id, NULL, 0) > 0)
			return true;
		if (place == FAR && plan_write(&delete_far, &message_id, NULL, 0) > 0)
			return true;
		/* what an old snapshot does not let us delete in timers_far heeds notes, too */
		if (place != MOVED && take_by_note(message_id, timer))
			return true;
	}
	error_conflict("the timer was changed by another transaction");
}

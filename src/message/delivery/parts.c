/*
 * parts.c
 *		The parts in which a group is read; see parts.h.
 */
#include "compat.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/snapmgr.h"

#include "core/locks.h"
#include "core/settings.h"
#include "core/spi_util.h"
#include "message/base/engine.h"
#include "message/base/limits.h"
#include "message/delivery/handler.h"
#include "message/delivery/parts.h"

static SavedPlan hold_group = SAVED_PLAN(
	"SELECT parts FROM order_ext_internal.consumer_groups"
	" WHERE group_id = $1 AND barrier IS NULL FOR UPDATE SKIP LOCKED",
	INT4OID);

static SavedPlan hold_group_at_barrier = SAVED_PLAN(
	"SELECT parts FROM order_ext_internal.consumer_groups"
	" WHERE group_id = $1 AND barrier IS NOT NULL FOR UPDATE SKIP LOCKED",
	INT4OID);

static SavedPlan set_barrier = SAVED_PLAN(
	"UPDATE order_ext_internal.consumer_groups SET barrier = $2 WHERE group_id = $1",
	INT4OID, PG_SNAPSHOTOID);

static SavedPlan set_parts = SAVED_PLAN(
	"UPDATE order_ext_internal.consumer_groups SET parts = $2, barrier = NULL"
	" WHERE group_id = $1",
	INT4OID, INT2OID);

int16
parts_wanted(void)
{
	return (int16) Max(1, Min(setting_workers, MAX_PARTS));
}

void
parts_lock(int32 group_id, int16 parts)
{
	int16		part;

	handler_refuse_change(group_id);
	for (part = 0; part < parts; part++)
		lock_wait(LOCK_GROUP, GROUP_LOCK_KEY(group_id, part));
}

/* ---- the barrier ---- */

/* With all parts locked, no reader can have read beyond a snapshot taken now. */
static void
put_barrier(int32 group_id, int16 parts)
{
	Datum		values[2];

	parts_lock(group_id, parts);
	PushActiveSnapshot(GetLatestSnapshot());
	values[0] = Int32GetDatum(group_id);
	values[1] = snapshot_to_datum(snapshot_active());
	PopActiveSnapshot();
	plan_write(&set_barrier, values, NULL, 0);
	catalog_changed("consumer_groups");
}

static bool
aim(int32 group_id)
{
	Datum		value = Int32GetDatum(group_id);

	/* assigned before the snapshot is taken, so that our own messages are not behind it */
	(void) GetTopFullTransactionId();
	if (plan_query(&hold_group, &value, NULL, 0) == 0)
		return false;
	put_barrier(group_id, row_int16(0, 1));
	return true;
}

bool
parts_aim(int32 group_id, int timeout_ms)
{
	return engine_try_transaction(aim, group_id, timeout_ms, false);
}

/* ---- the switch ---- */

static bool
all_have_arrived(const ConsumerGroup *group, const LogSnapshot *barrier)
{
	bool		arrived = true;
	int16		part;

	for (part = 0; part < group->parts && arrived; part++)
		arrived = lock_try(LOCK_GROUP, GROUP_LOCK_KEY(group->id, part));
	if (!arrived)
		return false;
	PushActiveSnapshot(GetLatestSnapshot());
	for (part = 0; part < group->parts && arrived; part++)
	{
		Progress	progress;

		progress_load(group, part, &progress);
		arrived = progress.reading == NULL && snapshots_equal(progress.done, barrier);
	}
	PopActiveSnapshot();
	return arrived;
}

static void
begin_parts(const ConsumerGroup *group, LogSnapshot *barrier, int16 parts)
{
	int16		part;

	for (part = 0; part < parts; part++)
	{
		Progress	progress;

		PushActiveSnapshot(GetLatestSnapshot());
		progress_load(group, part, &progress);
		PopActiveSnapshot();
		progress.part.parts = parts;
		progress.done = barrier;
		progress.reading = NULL;
		progress.has_pos = false;
		progress_append(&progress);
	}
}

bool
parts_switch(const ConsumerGroup *group, const LogSnapshot *barrier)
{
	Datum		values[2];
	EngineScope scope;
	bool		held;

	if (!all_have_arrived(group, barrier))
		return false;
	values[0] = Int32GetDatum(group->id);
	values[1] = Int16GetDatum(parts_wanted());
	engine_enter(&scope);
	held = plan_query(&hold_group_at_barrier, values, NULL, 0) > 0;
	if (held)
		plan_write(&set_parts, values, NULL, 0);
	engine_leave(&scope);
	if (!held)
		return false;
	begin_parts(group, unconstify(LogSnapshot *, barrier), parts_wanted());
	catalog_changed("consumer_groups");
	return true;
}

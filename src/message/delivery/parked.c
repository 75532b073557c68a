/*
 * parked.c
 *		Waiting messages of ordered groups; see parked.h.
 */
#include "compat.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/sequence.h"
#include "utils/fmgroids.h"
#include "utils/jsonb.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "core/append.h"
#include "core/errors.h"
#include "core/ids.h"
#include "core/internal.h"
#include "core/spi_util.h"
#include "message/base/engine.h"
#include "message/delivery/parked.h"

/* Columns of parked_messages. */
enum
{
	PARKED_N = 1,
	PARKED_GROUP_ID,
	PARKED_TOPIC_ID,
	PARKED_KEY,
	PARKED_MESSAGE_ID,
	PARKED_PUBLISHED_AT,
	PARKED_PARKED_AT,
	PARKED_PAYLOAD,
	PARKED_COLUMNS = PARKED_PAYLOAD
};

static SavedPlan find_blocked = SAVED_PLAN(
	"SELECT key FROM order_ext_internal.retries WHERE group_id = $1 AND key = ANY ($2)"
	" UNION SELECT key FROM order_ext_internal.dead_messages WHERE group_id = $1"
	"  AND key = ANY ($2)",
	INT4OID, INT8ARRAYOID);

/* Messages that are already parked come first. */
static SavedPlan find_taken = SAVED_PLAN(
	"SELECT key FROM order_ext_internal.retries WHERE group_id = $1 AND key = ANY ($2)"
	" UNION SELECT key FROM order_ext_internal.dead_messages WHERE group_id = $1 AND key = ANY ($2)"
	" UNION SELECT key FROM order_ext_internal.parked_messages WHERE group_id = $1"
	"  AND key = ANY ($2)",
	INT4OID, INT8ARRAYOID);

/* The waiting messages of the keys, as a text. */
static SavedPlan describe_keys = SAVED_PLAN(
	"SELECT pg_catalog.string_agg(place || message_id::text, ' ' ORDER BY place, message_id)"
	" FROM (SELECT 'r' AS place, message_id FROM order_ext_internal.retries"
	"	WHERE group_id = $1 AND key = ANY ($2)"
	"  UNION ALL SELECT 'd', message_id FROM order_ext_internal.dead_messages"
	"	WHERE group_id = $1 AND key = ANY ($2)"
	"  UNION ALL SELECT 'p', message_id FROM order_ext_internal.parked_messages"
	"	WHERE group_id = $1 AND key = ANY ($2)) m",
	INT4OID, INT8ARRAYOID);

static SavedPlan release_free = SAVED_PLAN(
	"WITH gone AS (DELETE FROM order_ext_internal.parked_messages p WHERE p.group_id = $1"
	"  AND p.n = (SELECT min(q.n) FROM order_ext_internal.parked_messages q"
	"	WHERE q.group_id = $1 AND q.key = p.key)"
	"  AND NOT EXISTS (SELECT FROM order_ext_internal.retries r"
	"	WHERE r.group_id = $1 AND r.key = p.key)"
	"  AND NOT EXISTS (SELECT FROM order_ext_internal.dead_messages d"
	"	WHERE d.group_id = $1 AND d.key = p.key)"
	"  RETURNING *)"
	" INSERT INTO order_ext_internal.retries (message_id, group_id, topic_id, key, published_at,"
	"	due_at, attempts, busy, payload)"
	" SELECT message_id, group_id, topic_id, key, published_at, clock_timestamp(), 0, 0, payload"
	" FROM gone",
	INT4OID);

/* Due times follow their order, since retries are run by due time. */
static SavedPlan release_all = SAVED_PLAN(
	"WITH gone AS (DELETE FROM order_ext_internal.parked_messages WHERE group_id = $1 RETURNING *)"
	" INSERT INTO order_ext_internal.retries (message_id, group_id, topic_id, key, published_at,"
	"	due_at, attempts, busy, payload)"
	" SELECT message_id, group_id, topic_id, key, published_at,"
	"	clock_timestamp() - interval '1 microsecond' *"
	"	(count(*) OVER () - row_number() OVER (ORDER BY n)),"
	"	0, 0, payload"
	" FROM gone",
	INT4OID);

/* Which of the keys are blocked, in ascending order. */
static int
blocked_keys(SavedPlan *find, int32 group_id, const int64 *keys, int n, int64 **blocked)
{
	MemoryContext context = CurrentMemoryContext;
	EngineScope scope;
	Datum		values[2];
	int			found;
	int			i;

	values[0] = Int32GetDatum(group_id);
	values[1] = int64_array(keys, n);
	engine_enter(&scope);
	found = (int) plan_query(find, values, NULL, 0);
	*blocked = MemoryContextAlloc(context, sizeof(int64) * Max(found, 1));
	for (i = 0; i < found; i++)
		(*blocked)[i] = row_int64(i, 1);
	engine_leave(&scope);
	MemoryContextSwitchTo(context);
	qsort(*blocked, found, sizeof(int64), id_compare);
	return found;
}

/* Pushes and pops the snapshot. NULL if there is nothing. */
static char *
keys_in_snapshot(Snapshot snapshot, const Datum *values)
{
	PushActiveSnapshot(snapshot);
	plan_query_in_snapshot(&describe_keys, values, NULL, 1);
	PopActiveSnapshot();
	return row_text(0, 1);
}

/*
 * Above READ COMMITTED, raise 40001 if other transactions have changed what the keys wait for, or
 * what waits behind them, since our snapshot was taken. Otherwise we would park messages behind
 * nothing, or overlook parked ones.
 */
static void
check_keys_are_as_seen(int32 group_id, const int64 *keys, int n)
{
	EngineScope scope;
	Datum		values[2];
	const char *seen;
	const char *there;

	if (!IsolationUsesXactSnapshot())
		return;
	values[0] = Int32GetDatum(group_id);
	values[1] = int64_array(keys, n);
	engine_enter(&scope);
	seen = keys_in_snapshot(GetTransactionSnapshot(), values);
	there = keys_in_snapshot(GetLatestSnapshot(), values);
	if (strcmp(seen != NULL ? seen : "", there != NULL ? there : "") != 0)
		error_conflict("messages of the same keys were handled by another transaction");
	engine_leave(&scope);
}

void
parked_mark_blocked(const ConsumerGroup *group, Delivery *deliveries, int n)
{
	int64	   *keys = palloc(sizeof(int64) * Max(n, 1));
	int64	   *blocked;
	int			n_blocked;
	int			i;

	if (n == 0)
		return;
	for (i = 0; i < n; i++)
		keys[i] = deliveries[i].message.key;
	check_keys_are_as_seen(group->id, keys, n);
	if (deliveries[0].is_retry)
		return;
	n_blocked = blocked_keys(&find_taken, group->id, keys, n, &blocked);
	for (i = 0; i < n && n_blocked > 0; i++)
	{
		if (bsearch(&deliveries[i].message.key, blocked, n_blocked, sizeof(int64), id_compare))
			deliveries[i].fate = FATE_PARK;
	}
}

void
parked_mark_rest(Delivery *deliveries, int i, int n)
{
	int			k;

	for (k = i + 1; k < n; k++)
	{
		if (deliveries[k].message.key == deliveries[i].message.key && !deliveries[k].is_retry)
			deliveries[k].fate = FATE_PARK;
	}
}

void
parked_append(Appender *appender, const ConsumerGroup *group, const Message *message,
			  TimestampTz now)
{
	Datum		values[PARKED_COLUMNS];

	values[PARKED_N - 1] = Int64GetDatum(nextval_internal(internal_relation("parked_seq"), false));
	values[PARKED_GROUP_ID - 1] = Int32GetDatum(group->id);
	values[PARKED_TOPIC_ID - 1] = Int32GetDatum(message->topic_id);
	values[PARKED_KEY - 1] = Int64GetDatum(message->key);
	values[PARKED_MESSAGE_ID - 1] = Int64GetDatum(message->id);
	values[PARKED_PUBLISHED_AT - 1] = TimestampTzGetDatum(message->published_at);
	values[PARKED_PARKED_AT - 1] = TimestampTzGetDatum(now);
	values[PARKED_PAYLOAD - 1] = JsonbPGetDatum(message->payload);
	append_row(appender, values, NULL);
}

void
parked_put(const ConsumerGroup *group, const Delivery *delivery)
{
	Appender   *appender = append_open("parked_messages");

	parked_append(appender, group, &delivery->message, GetCurrentTimestamp());
	append_close(appender);
}

/* The key's first parked message from a position on, before which there are only dead rows. */
static bool
first_parked(int32 group_id, int64 key, int64 *place, Delivery *delivery)
{
	Relation	rel = table_open(internal_relation("parked_messages"), AccessShareLock);
	Relation	index = index_open(internal_relation("parked_messages_pkey"), AccessShareLock);
	ScanKeyData keys[3];
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&keys[0], PARKED_GROUP_ID, BTEqualStrategyNumber, F_INT4EQ,
				Int32GetDatum(group_id));
	ScanKeyInit(&keys[1], PARKED_KEY, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(key));
	ScanKeyInit(&keys[2], PARKED_N, BTGreaterEqualStrategyNumber, F_INT8GE, Int64GetDatum(*place));
	PushActiveSnapshot(GetTransactionSnapshot());
	UpdateActiveSnapshotCommandId();
	scan = systable_beginscan_ordered(rel, index, GetActiveSnapshot(), lengthof(keys), keys);
	tuple = systable_getnext_ordered(scan, ForwardScanDirection);
	if (tuple != NULL)
	{
		Datum		values[PARKED_COLUMNS];
		bool		nulls[PARKED_COLUMNS];

		heap_deform_tuple(tuple, RelationGetDescr(rel), values, nulls);
		*place = DatumGetInt64(values[PARKED_N - 1]);
		memset(delivery, 0, sizeof(Delivery));
		delivery->message.id = DatumGetInt64(values[PARKED_MESSAGE_ID - 1]);
		delivery->message.topic_id = DatumGetInt32(values[PARKED_TOPIC_ID - 1]);
		delivery->message.key = key;
		delivery->message.payload = DatumGetJsonbPCopy(values[PARKED_PAYLOAD - 1]);
		delivery->message.attempt = 1;
		delivery->message.published_at = DatumGetTimestampTz(values[PARKED_PUBLISHED_AT - 1]);
		delivery->was_parked = true;
		delivery->tid = tuple->t_self;
	}
	systable_endscan_ordered(scan);
	PopActiveSnapshot();
	index_close(index, NoLock);
	table_close(rel, NoLock);
	return tuple != NULL;
}

bool
parked_next(const ConsumerGroup *group, int64 key, int64 *place, Delivery *delivery)
{
	int64	   *blocked;

	return first_parked(group->id, key, place, delivery) &&
		blocked_keys(&find_blocked, group->id, &key, 1, &blocked) == 0;
}

void
parked_release_free(int32 group_id)
{
	Datum		value = Int32GetDatum(group_id);

	plan_write(&release_free, &value, NULL, 0);
}

void
parked_release_all(int32 group_id)
{
	Datum		value = Int32GetDatum(group_id);

	plan_write(&release_all, &value, NULL, 0);
}

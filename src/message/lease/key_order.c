/*
 * key_order.c
 *		Ordered groups of external consumers; see key_order.h.
 *
 * Whether a key is free is checked under one snapshot, in which each message is in exactly one
 * place: a message that another transaction is moving is seen in its old place. So a key may look
 * taken when it has just become free (its messages are parked, and the next receive() finds
 * them), but never the other way around.
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "utils/hsearch.h"

#include "core/append.h"
#include "core/spi_util.h"
#include "message/delivery/parked.h"
#include "message/lease/key_order.h"
#include "message/lease/take.h"

static SavedPlan find_taken = SAVED_PLAN(
	"SELECT key FROM order_ext_internal.leases WHERE group_id = $1 AND key = ANY ($2)"
	" UNION SELECT key FROM order_ext_internal.retries WHERE group_id = $1 AND key = ANY ($2)"
	" UNION SELECT key FROM order_ext_internal.dead_messages WHERE group_id = $1 AND key = ANY ($2)"
	" UNION SELECT key FROM order_ext_internal.parked_messages WHERE group_id = $1"
	"  AND key = ANY ($2)",
	INT4OID, INT8ARRAYOID);

/* The keys are checked one by one, however many messages each of them has. */
#define FREE_KEYS \
	"WITH RECURSIVE keys (key) AS (" \
	" (SELECT key FROM order_ext_internal.parked_messages WHERE group_id = $1" \
	"  ORDER BY key LIMIT 1)" \
	" UNION ALL" \
	" SELECT (SELECT p.key FROM order_ext_internal.parked_messages p" \
	"  WHERE p.group_id = $1 AND p.key > keys.key ORDER BY p.key LIMIT 1)" \
	" FROM keys WHERE keys.key IS NOT NULL)" \
	" SELECT keys.key FROM keys" \
	" WHERE keys.key IS NOT NULL" \
	" AND NOT EXISTS (SELECT FROM order_ext_internal.retries r" \
	"  WHERE r.group_id = $1 AND r.key = keys.key)" \
	" AND NOT EXISTS (SELECT FROM order_ext_internal.leases l" \
	"  WHERE l.group_id = $1 AND l.key = keys.key)" \
	" AND NOT EXISTS (SELECT FROM order_ext_internal.dead_messages d" \
	"  WHERE d.group_id = $1 AND d.key = keys.key)"

static SavedPlan find_free = SAVED_PLAN(FREE_KEYS " LIMIT 1", INT4OID);

/*
 * Nothing is taken of a key whose first message another receiver is just taking. What was locked
 * is still free, since taking it requires that lock.
 */
static SavedPlan lock_free = SAVED_PLAN(
	"SELECT p.n, p.key, p.message_id, p.topic_id, p.published_at, p.payload"
	" FROM order_ext_internal.parked_messages p"
	" WHERE p.group_id = $1 AND (p.key, p.n) IN ("
	"  SELECT f.key, (SELECT min(q.n) FROM order_ext_internal.parked_messages q"
	"   WHERE q.group_id = $1 AND q.key = f.key)"
	"  FROM (" FREE_KEYS " LIMIT $2) f)"
	" ORDER BY p.n FOR UPDATE OF p SKIP LOCKED",
	INT4OID, INT4OID);

static SavedPlan leave_parking = SAVED_PLAN(
	"DELETE FROM order_ext_internal.parked_messages p"
	" USING (SELECT * FROM ROWS FROM (unnest($2), unnest($3)) AS t (key, n)) taken"
	" WHERE p.group_id = $1 AND p.key = taken.key AND p.n = taken.n",
	INT4OID, INT8ARRAYOID, INT8ARRAYOID);

/* ---- parking ---- */

/* The keys of the deliveries that are not free. */
static HTAB *
taken_keys(const ConsumerGroup *group, const Delivery *deliveries, int n)
{
	HASHCTL		control = {
		.keysize = sizeof(int64),
		.entrysize = sizeof(int64),
		.hcxt = CurrentMemoryContext
	};
	HTAB	   *taken = hash_create("order_ext keys", 256, &control,
									HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	int64	   *keys = INT64_FIELDS(deliveries, message.key, n);
	Datum		values[2];
	uint64		found;
	uint64		row;

	values[0] = Int32GetDatum(group->id);
	values[1] = int64_array(keys, n);
	found = plan_query(&find_taken, values, NULL, 0);
	for (row = 0; row < found; row++)
	{
		int64		key = row_int64(row, 1);

		(void) hash_search(taken, &key, HASH_ENTER, NULL);
	}
	pfree(keys);
	return taken;
}

int
key_order_park(const ConsumerGroup *group, Delivery *deliveries, int *n, int limit)
{
	HTAB	   *taken;
	Appender   *appender = NULL;
	TimestampTz now = GetCurrentTimestamp();
	int			kept = 0;
	int			i;

	if (*n == 0)
		return 0;
	taken = taken_keys(group, deliveries, *n);
	for (i = 0; i < *n && kept < limit; i++)
	{
		bool		is_taken;

		/* from here on, the key is taken by this message */
		(void) hash_search(taken, &deliveries[i].message.key, HASH_ENTER, &is_taken);
		if (!is_taken)
		{
			deliveries[kept++] = deliveries[i];
			continue;
		}
		if (appender == NULL)
			appender = append_open("parked_messages");
		parked_append(appender, group, &deliveries[i].message, now);
	}
	if (appender != NULL)
		append_close(appender);
	hash_destroy(taken);
	*n = i;
	return kept;
}

/* ---- releasing ---- */

/* Returns its place. */
static int64
read_parked(uint64 row, Delivery *delivery)
{
	delivery->message.key = row_int64(row, 2);
	delivery->message.id = row_int64(row, 3);
	delivery->message.topic_id = row_int32(row, 4);
	delivery->message.published_at = row_timestamptz(row, 5);
	delivery->message.payload = row_jsonb(row, 6);
	delivery->message.attempt = 1;
	return row_int64(row, 1);
}

int
key_order_release(const ConsumerGroup *group, int limit, Size bytes, Delivery **deliveries)
{
	Datum		values[3];
	int64	   *places;
	int			n;

	values[0] = Int32GetDatum(group->id);
	values[1] = Int32GetDatum(limit);
	n = take_rows(&lock_free, values, read_parked, limit, bytes, deliveries, &places);
	if (n == 0)
		return 0;
	values[1] = int64_array(INT64_FIELDS(*deliveries, message.key, n), n);
	values[2] = int64_array(places, n);
	plan_write(&leave_parking, values, NULL, 0);
	return n;
}

bool
key_order_has_free(const ConsumerGroup *group)
{
	Datum		value = Int32GetDatum(group->id);

	return plan_query(&find_free, &value, NULL, 1) > 0;
}

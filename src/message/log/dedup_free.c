/*
 * dedup_free.c
 *		Keys that are free before their time; see dedup_free.h.
 *
 * A row of dedup_N notes the groups that have given its message up, and whether that is all of
 * them. The next publisher takes such a row over and leaves the id of the old message in
 * dedup_taken. Both change the row, so of a publisher and an operator who redrives the message,
 * the second sees what the first has done.
 */
#include "compat.h"

#include "catalog/pg_type.h"

#include "core/internal.h"
#include "core/spi_util.h"
#include "message/base/catalog.h"
#include "message/base/engine.h"
#include "message/base/types.h"
#include "message/log/dedup_free.h"

#define CANCELED(n) \
	SAVED_PLAN("DELETE FROM order_ext_internal.dedup_" n " WHERE message_id = $1", INT8OID)

/* $1 message, $2 topic, $3 group */
#define GIVEN_UP(n) \
	SAVED_PLAN( \
		"UPDATE order_ext_internal.dedup_" n " d" \
		" SET given_up = d.given_up || $3, free = NOT EXISTS (" \
		"  SELECT FROM order_ext_internal.consumer_groups g" \
		"  WHERE g.topic_id = $2 AND g.group_id <> $3 AND g.group_id <> ALL (d.given_up))" \
		" WHERE d.message_id = $1 AND d.topic_id = $2 AND $3 <> ALL (d.given_up)", \
		INT8OID, INT4OID, INT4OID)

/* $1 group, $2 messages */
#define NO_MORE(n) \
	SAVED_PLAN( \
		"UPDATE order_ext_internal.dedup_" n \
		" SET given_up = pg_catalog.array_remove(given_up, $1), free = false" \
		" WHERE message_id = ANY ($2) AND $1 = ANY (given_up)", \
		INT4OID, INT8ARRAYOID)

#define EACH(plan) {plan("0"), plan("1"), plan("2"), plan("3")}

static SavedPlan canceled[RING_SEGMENTS] = EACH(CANCELED);
static SavedPlan given_up[RING_SEGMENTS] = EACH(GIVEN_UP);
static SavedPlan no_more[RING_SEGMENTS] = EACH(NO_MORE);

static SavedPlan note_taken = SAVED_PLAN(
	"INSERT INTO order_ext_internal.dedup_taken (message_id, topic_id, taken_at)"
	" VALUES ($1, $2, pg_catalog.clock_timestamp()) ON CONFLICT DO NOTHING",
	INT8OID, INT4OID);

/* In the segments that have rows: few messages have a key. */
static void
in_each_segment(SavedPlan *plans, const Datum *values)
{
	int			i;

	for (i = 0; i < RING_SEGMENTS; i++)
	{
		if (internal_relation_blocks(internal_relation(psprintf("dedup_%d", i))) > 0)
			plan_write(&plans[i], values, NULL, 0);
	}
}

void
dedup_free_canceled(int64 message_id)
{
	Datum		values[1] = {Int64GetDatum(message_id)};

	in_each_segment(canceled, values);
}

void
dedup_free_given_up(int32 topic_id, int32 group_id, int64 message_id)
{
	Datum		values[3] = {Int64GetDatum(message_id), Int32GetDatum(topic_id),
	Int32GetDatum(group_id)};
	EngineScope scope;

	/* deliveries run as the role of the group */
	engine_enter(&scope);
	in_each_segment(given_up, values);
	engine_leave(&scope);
}

void
dedup_free_no_more(int32 group_id, Datum message_ids)
{
	Datum		values[2] = {Int32GetDatum(group_id), message_ids};

	in_each_segment(no_more, values);
}

void
dedup_free_taken(int32 topic_id, int64 message_id)
{
	Datum		values[2] = {Int64GetDatum(message_id), Int32GetDatum(topic_id)};

	plan_write(&note_taken, values, NULL, 0);
}

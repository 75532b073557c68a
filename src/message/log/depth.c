/*
 * depth.c
 *		Backpressure; see depth.h.
 *
 * No count is stored, since publishers would queue for its row. The messages ahead of a group's
 * cursor are counted in the index, up to max_depth. If there are many, the count is reused as
 * long as the ids assigned since, by any backend, cannot have filled the remaining room, or are
 * less than a hundredth of max_depth.
 */
#include "compat.h"

#include "utils/fmgrprotos.h"
#include "utils/hsearch.h"
#include "utils/snapmgr.h"

#include "core/error_facts.h"
#include "core/errors.h"
#include "core/internal.h"
#include "message/log/depth.h"
#include "message/log/log.h"
#include "message/log/progress.h"

/* How long a topic that was found full is considered full without another check. */
#define FULL_FOR (100 * INT64CONST(1000))

typedef struct Counted
{
	int32		topic_id;		/* key */
	int32		depth;
	int32		max_depth;		/* the max_depth that was counted for */
	int64		at_id;			/* value of the sequence of message ids at that time */
	TimestampTz at;
	int32		group_id;		/* the slowest one */
} Counted;

static HTAB *counts = NULL;

static Counted *
get_counted(int32 topic_id)
{
	HASHCTL		control = {.keysize = sizeof(int32), .entrysize = sizeof(Counted)};
	Counted    *counted;
	bool		found;

	if (counts == NULL)
		counts = hash_create("order_ext depths", 16, &control, HASH_ELEM | HASH_BLOBS);
	counted = hash_search(counts, &topic_id, HASH_ENTER, &found);
	if (!found)
	{
		memset(counted, 0, sizeof(Counted));
		counted->topic_id = topic_id;
	}
	return counted;
}

/* The last message id assigned to any backend. */
static int64
ids_given_out(void)
{
	LOCAL_FCINFO(fcinfo, 1);
	Datum		value;

	InitFunctionCallInfoData(*fcinfo, NULL, 1, InvalidOid, NULL, NULL);
	fcinfo->args[0].value = ObjectIdGetDatum(internal_relation("message_id_seq"));
	fcinfo->args[0].isnull = false;
	value = pg_sequence_last_value(fcinfo);
	return fcinfo->isnull ? 0 : DatumGetInt64(value);
}

static bool
count_is_good(const Counted *counted, const Topic *topic, int64 ids, TimestampTz now)
{
	int64		since = ids - counted->at_id;

	if (topic->max_depth <= DEPTH_EXACT || counted->max_depth != topic->max_depth ||
		now < counted->at || catalog_group_by_id(counted->group_id) == NULL)
		return false;
	if (counted->depth >= topic->max_depth)
		return now - counted->at < FULL_FOR;
	return since < Max((topic->max_depth - counted->depth) / 2, topic->max_depth / 100);
}

int
depth_of_group(const ConsumerGroup *group, int limit)
{
	int			depth = 0;
	int16		part;

	for (part = 0; part < group->parts && depth < limit; part++)
	{
		Progress	progress;
		LogWindow	window;

		progress_load(group, part, &progress);
		progress_window(group, &progress, &window);
		depth += log_count_waiting(&window, limit - depth, NULL);
	}
	return depth;
}

static void
count_topic(Counted *counted, const Topic *topic)
{
	const ConsumerGroup *groups;
	int			n = catalog_groups(&groups);
	int			i;

	counted->depth = 0;
	counted->group_id = 0;
	counted->max_depth = topic->max_depth;
	PushActiveSnapshot(GetLatestSnapshot());
	for (i = 0; i < n; i++)
	{
		int			depth;

		if (groups[i].topic_id != topic->id)
			continue;
		depth = depth_of_group(&groups[i], topic->max_depth);
		if (depth < counted->depth)
			continue;
		counted->depth = depth;
		counted->group_id = groups[i].id;
	}
	PopActiveSnapshot();
}

static void
refuse_full(const Topic *topic, const Counted *counted)
{
	const ConsumerGroup *group = catalog_group_by_id(counted->group_id);

	ereport(ERROR,
			(errcode(ERRCODE_OE_BACKPRESSURE),
			 errmsg("topic \"%s\" is full", topic->name),
			 error_facts(group != NULL
						 ? "At least {depth} messages are waiting for consumer group "
						 "\"{consumer_group}\"; max_depth is {max_depth}."
						 : "At least {depth} messages are waiting for a consumer group that was "
						 "dropped; max_depth is {max_depth}.",
						 FACT_TEXT("topic", topic->name), FACT_INT("max_depth", topic->max_depth),
						 FACT_INT("depth", counted->depth),
						 FACT_TEXT("consumer_group", group != NULL ? group->name : NULL)),
			 errhint("Publish again after the consumer group has caught up.")));
}

void
depth_check(const Topic *topic)
{
	Counted    *counted;
	int64		ids;
	TimestampTz now;

	if (topic->max_depth == 0)
		return;
	counted = get_counted(topic->id);
	ids = ids_given_out();
	now = GetCurrentTimestamp();
	if (!count_is_good(counted, topic, ids, now))
	{
		counted->max_depth = 0; /* in case of an error */
		count_topic(counted, topic);
		counted->at_id = ids;
		counted->at = now;
	}
	if (counted->depth >= topic->max_depth)
		refuse_full(topic, counted);
}

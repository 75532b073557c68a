/*
 * catalog.c
 *		Topics, consumer groups, the database stamp and the rings, cached; see catalog.h.
 *
 * The five tables are small and change rarely. They are read as a whole under the newest catalog
 * snapshot, whatever the transaction's isolation level (a cache filled from an old snapshot would
 * outlive it), and reread after an invalidation of any of them.
 */
#include "compat.h"

#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/memutils.h"

#include "core/error_facts.h"
#include "core/errors.h"
#include "core/internal.h"
#include "core/node.h"
#include "core/snapshots.h"
#include "message/base/catalog.h"
#include "message/base/table_reader.h"
#include "message/base/topic_rights.h"
#include "message/base/wake.h"

/* The tables that are cached. */
enum
{
	CACHED_TOPICS,
	CACHED_GRANTS,
	CACHED_GROUPS,
	CACHED_STAMP,
	CACHED_RINGS,
	CACHED_TABLES
};

static const char *const cached_tables[CACHED_TABLES] = {
	[CACHED_TOPICS] = "topics",
	[CACHED_GRANTS] = "topic_grants",
	[CACHED_GROUPS] = "consumer_groups",
	[CACHED_STAMP] = "database_stamp",
	[CACHED_RINGS] = "ring_moves"
};

/* Those of their columns that are read, and of crash_suspects. */
enum
{
	TOPIC_TOPIC_ID = 1, TOPIC_BUILTIN, TOPIC_NAME, TOPIC_MAX_DEPTH = 5, TOPIC_DEDUP_WINDOW
};
enum
{
	GROUP_GROUP_ID = 1, GROUP_TOPIC_ID, GROUP_MAX_ATTEMPTS, GROUP_BACKOFF, GROUP_BUILTIN,
	GROUP_BATCH, GROUP_PAUSED, GROUP_NAME, GROUP_HANDLER, GROUP_RUN_AS, GROUP_START_AT,
	GROUP_ORDERED = 13, GROUP_SUBSCRIBER, GROUP_PARTS, GROUP_BARRIER, GROUP_HANDLER_OWNER,
	GROUP_ADAPTED, GROUP_RUN_AS_OID, GROUP_HANDLER_OWNER_OID, GROUP_SUBSCRIBER_OID,
	GROUP_HANDLER_TIMEOUT
};
enum
{
	SUSPECT_GROUP_ID = 1
};
enum
{
	MOVE_SEQ = 1, MOVE_RING, MOVE_SEGMENT, MOVE_MOVED_AT
};

typedef struct Cache
{
	Oid			relations[CACHED_TABLES];
	Topic	   *topics;
	int			n_topics;
	Topic	  **topics_by_name;
	ConsumerGroup *groups;
	int			n_groups;
	StampState	stamp;
	int64		stamp_node;
	RingState	rings[RINGS];
} Cache;

const char *const catalog_ring_names[RINGS] = {"log", "dedup"};

static MemoryContext cache_context = NULL;
static Cache *cache = NULL;
static bool cache_is_stale = true;
static uint64 generation = 0;
static bool cache_is_loading = false;

static void
on_relation_invalidated(Datum arg, Oid relation)
{
	int			i;

	if (cache == NULL || cache_is_loading || relation == InvalidOid)
	{
		cache_is_stale = true;
		return;
	}
	for (i = 0; i < CACHED_TABLES; i++)
	{
		/* it may be the update that makes a table which SQL objects of old do not have */
		if (cache->relations[i] == relation || cache->relations[i] == InvalidOid)
			cache_is_stale = true;
	}
}

void
catalog_init(void)
{
	CacheRegisterRelcacheCallback(on_relation_invalidated, (Datum) 0);
}

void
catalog_changed(const char *table)
{
	CacheInvalidateRelcacheByRelid(internal_relation(table));
	cache_is_stale = true;		/* visible to us at once, not only to the next command */
	if (strcmp(table, "ring_moves") != 0)
		wake_note_groups();		/* the position of a ring is of no interest to workers */
}

/* ---- loading ---- */

/* Make room for one more element in an array that doubles as it grows. */
static void *
grow_array(void *array, int n, Size element)
{
	if (n == 0)
		return palloc(element * 16);
	if (n >= 16 && (n & (n - 1)) == 0)
		return repalloc(array, element * n * 2);
	return array;
}

static int
compare_topic_ids(const void *a, const void *b)
{
	int32		left = ((const Topic *) a)->id;
	int32		right = ((const Topic *) b)->id;

	return (left > right) - (left < right);
}

static int
compare_topic_names(const void *a, const void *b)
{
	return strcmp((*(Topic *const *) a)->name, (*(Topic *const *) b)->name);
}

static int
compare_group_ids(const void *a, const void *b)
{
	int32		left = ((const ConsumerGroup *) a)->id;
	int32		right = ((const ConsumerGroup *) b)->id;

	return (left > right) - (left < right);
}

static void
load_topics(Cache *into)
{
	TableReader reader;
	int			i;

	table_reader_open(&reader, into->relations[CACHED_TOPICS]);
	while (table_reader_next(&reader))
	{
		Topic	   *topic;

		into->topics = grow_array(into->topics, into->n_topics, sizeof(Topic));
		topic = &into->topics[into->n_topics++];
		topic->id = DatumGetInt32(reader.values[TOPIC_TOPIC_ID]);
		topic->builtin = DatumGetBool(reader.values[TOPIC_BUILTIN]);
		topic->name = table_reader_text(&reader, TOPIC_NAME);
		topic->max_depth = reader.nulls[TOPIC_MAX_DEPTH] ? 0 :
			DatumGetInt32(reader.values[TOPIC_MAX_DEPTH]);
		topic->dedup_window = DatumGetInt32(reader.values[TOPIC_DEDUP_WINDOW]);
	}
	table_reader_close(&reader);

	if (into->n_topics > 0)
		qsort(into->topics, into->n_topics, sizeof(Topic), compare_topic_ids);
	into->topics_by_name = palloc(sizeof(Topic *) * (into->n_topics + 1));
	for (i = 0; i < into->n_topics; i++)
		into->topics_by_name[i] = &into->topics[i];
	if (into->n_topics > 0)
		qsort(into->topics_by_name, into->n_topics, sizeof(Topic *), compare_topic_names);
}

static void
load_groups(Cache *into)
{
	TableReader reader;

	table_reader_open(&reader, into->relations[CACHED_GROUPS]);
	while (table_reader_next(&reader))
	{
		ConsumerGroup *group;

		into->groups = grow_array(into->groups, into->n_groups, sizeof(ConsumerGroup));
		group = &into->groups[into->n_groups++];
		group->id = DatumGetInt32(reader.values[GROUP_GROUP_ID]);
		group->topic_id = DatumGetInt32(reader.values[GROUP_TOPIC_ID]);
		group->max_attempts = DatumGetInt32(reader.values[GROUP_MAX_ATTEMPTS]);
		group->backoff = DatumGetInt16(reader.values[GROUP_BACKOFF]);
		group->builtin = DatumGetBool(reader.values[GROUP_BUILTIN]);
		group->batch = DatumGetBool(reader.values[GROUP_BATCH]);
		group->paused = DatumGetBool(reader.values[GROUP_PAUSED]);
		group->name = table_reader_text(&reader, GROUP_NAME);
		group->handler = table_reader_text(&reader, GROUP_HANDLER);
		group->run_as = bound_role_read(&reader, GROUP_RUN_AS, GROUP_RUN_AS_OID);
		group->suspects = false;
		group->handler_timeout = reader.nulls[GROUP_HANDLER_TIMEOUT] ? GROUP_TIMEOUT_OF_SETTING :
			DatumGetInt32(reader.values[GROUP_HANDLER_TIMEOUT]);
		group->start_at = snapshot_text(reader.values[GROUP_START_AT]);
		group->ordered = DatumGetBool(reader.values[GROUP_ORDERED]);
		group->handler_owner = bound_role_read(&reader, GROUP_HANDLER_OWNER,
											   GROUP_HANDLER_OWNER_OID);
		group->parts = DatumGetInt16(reader.values[GROUP_PARTS]);
		group->barrier = reader.nulls[GROUP_BARRIER] ? NULL :
			snapshot_text(reader.values[GROUP_BARRIER]);
		group->adapted = DatumGetBool(reader.values[GROUP_ADAPTED]);
	}
	table_reader_close(&reader);
	if (into->n_groups > 0)
		qsort(into->groups, into->n_groups, sizeof(ConsumerGroup), compare_group_ids);
}

/* After load_groups(). */
static void
load_suspects(Cache *into)
{
	TableReader reader;
	int			i;

	table_reader_open(&reader, internal_relation("crash_suspects"));
	while (table_reader_next(&reader))
	{
		for (i = 0; i < into->n_groups; i++)
		{
			if (into->groups[i].id == DatumGetInt32(reader.values[SUSPECT_GROUP_ID]))
				into->groups[i].suspects = true;
		}
	}
	table_reader_close(&reader);
}

static void
load_rings(Cache *into)
{
	TableReader reader;
	int			i;

	table_reader_open(&reader, into->relations[CACHED_RINGS]);
	while (table_reader_next(&reader))
	{
		char	   *ring = table_reader_text(&reader, MOVE_RING);
		int64		seq = DatumGetInt64(reader.values[MOVE_SEQ]);

		for (i = 0; i < RINGS; i++)
		{
			RingState  *state = &into->rings[i];

			if (strcmp(ring, catalog_ring_names[i]) != 0 || seq <= state->seq)
				continue;
			state->seq = seq;
			state->current = DatumGetInt16(reader.values[MOVE_SEGMENT]);
			state->moved_at = DatumGetTimestampTz(reader.values[MOVE_MOVED_AT]);
		}
	}
	table_reader_close(&reader);
}

static Cache *
get_cache(void)
{
	MemoryContext context;
	MemoryContext old;
	Cache	   *fresh;
	int			i;

	if (cache != NULL && !cache_is_stale)
		return cache;

	context = AllocSetContextCreate(CurrentMemoryContext, "order_ext catalog",
									ALLOCSET_SMALL_SIZES);
	old = MemoryContextSwitchTo(context);
	fresh = palloc0(sizeof(Cache));
	for (i = 0; i < CACHED_TABLES; i++)
		fresh->relations[i] = i == CACHED_GRANTS ? internal_relation_or_none(cached_tables[i]) :
			internal_relation(cached_tables[i]);
	/* An invalidation that arrives from here on marks what we read as stale again. */
	cache_is_stale = false;
	cache_is_loading = true;
	PG_TRY();
	{
		load_topics(fresh);
		topic_rights_load(fresh->relations[CACHED_GRANTS], fresh->topics, fresh->n_topics);
		load_groups(fresh);
		load_suspects(fresh);
		fresh->stamp = stamp_read(fresh->relations[CACHED_STAMP], &fresh->stamp_node);
		load_rings(fresh);
		cache_is_loading = false;
	}
	PG_CATCH();
	{
		cache_is_loading = false;
		cache_is_stale = true;
		PG_RE_THROW();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(old);

	MemoryContextSetParent(context, TopMemoryContext);
	if (cache_context != NULL)
		MemoryContextDelete(cache_context);
	cache_context = context;
	cache = fresh;
	generation++;
	return cache;
}

uint64
catalog_generation(void)
{
	return cache_is_stale ? generation + 1 : generation;
}

/* ---- lookups ---- */

const Topic *
catalog_topic_by_id(int32 topic_id)
{
	Cache	   *in = get_cache();
	Topic		key = {.id = topic_id};

	if (in->n_topics == 0)
		return NULL;
	return bsearch(&key, in->topics, in->n_topics, sizeof(Topic), compare_topic_ids);
}

const Topic *
catalog_topic_by_name(const char *name)
{
	Cache	   *in = get_cache();
	Topic		wanted = {.name = unconstify(char *, name)};
	Topic	   *key = &wanted;
	Topic	  **found;

	if (in->n_topics == 0)
		return NULL;
	found = bsearch(&key, in->topics_by_name, in->n_topics, sizeof(Topic *), compare_topic_names);
	return found != NULL ? *found : NULL;
}

const ConsumerGroup *
catalog_group_by_id(int32 group_id)
{
	Cache	   *in = get_cache();
	ConsumerGroup key = {.id = group_id};

	if (in->n_groups == 0)
		return NULL;
	return bsearch(&key, in->groups, in->n_groups, sizeof(ConsumerGroup), compare_group_ids);
}

const ConsumerGroup *
catalog_group_by_name(const char *name)
{
	Cache	   *in = get_cache();
	int			i;

	for (i = 0; i < in->n_groups; i++)
	{
		if (strcmp(in->groups[i].name, name) == 0)
			return &in->groups[i];
	}
	return NULL;
}

void
catalog_refuse_unknown_topic(const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_OE_UNKNOWN_TOPIC),
			 errmsg("topic \"%s\" does not exist", name),
			 error_facts("This database has no such topic; names are case-sensitive.",
						 FACT_TEXT("topic", name)),
			 errhint("Create it with order_ext.create_topic(); order_ext.topics_view lists "
					 "existing topics.")));
}

void
catalog_refuse_unknown_group(const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_OE_UNKNOWN_TOPIC),
			 errmsg("consumer group \"%s\" does not exist", name),
			 error_facts("This database has no such consumer group; names are case-sensitive.",
						 FACT_TEXT("consumer_group", name)),
			 errhint("Create it with order_ext.subscribe(); order_ext.subscriptions_view lists "
					 "existing consumer groups.")));
}

bool
catalog_group_is_external(const ConsumerGroup *group)
{
	return !group->builtin && group->handler == NULL;
}

static char *
copy_text(const char *text)
{
	return text != NULL ? pstrdup(text) : NULL;
}

void
catalog_group_copy(const ConsumerGroup *cached, ConsumerGroup *copy)
{
	*copy = *cached;
	copy->name = copy_text(cached->name);
	copy->handler = copy_text(cached->handler);
	copy->run_as.name = copy_text(cached->run_as.name);
	copy->start_at = copy_text(cached->start_at);
	copy->handler_owner.name = copy_text(cached->handler_owner.name);
	copy->barrier = copy_text(cached->barrier);
}

int
catalog_groups(const ConsumerGroup **groups)
{
	Cache	   *in = get_cache();

	*groups = in->groups;
	return in->n_groups;
}

StampState
catalog_stamp_state(void)
{
	const Cache *in = get_cache();

	/* The session may have begun before this server was promoted. */
	if (in->stamp == STAMP_OWN || in->stamp == STAMP_COPIED)
		return node_may_dispatch(in->stamp_node) ? STAMP_OWN : STAMP_COPIED;
	return in->stamp;
}

bool
catalog_stamp_is_own(void)
{
	return catalog_stamp_state() == STAMP_OWN;
}

const RingState *
catalog_ring_state(Ring ring)
{
	return &get_cache()->rings[ring];
}

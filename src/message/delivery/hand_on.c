/*
 * hand_on.c
 *		Handing on messages within the transaction that publishes them; see hand_on.h.
 */
#include "compat.h"

#include "access/xact.h"
#include "utils/resowner.h"

#include "core/clock.h"
#include "core/settings.h"
#include "message/base/catalog.h"
#include "message/base/wake.h"
#include "message/delivery/builtin.h"
#include "message/delivery/hand_on.h"
#include "message/delivery/pass.h"
#include "message/log/kept.h"

/* What has failed would most likely fail again, after waiting for the same lock. */
#define PAUSE (1 * USECS_PER_SEC)

/*
 * Fewer are better read from the log, with what comes after them: each handing on costs a
 * subtransaction and a row of progress.
 */
#define MIN_HANDED_ON 20

/* The consumers of a topic. */
typedef struct Consumers
{
	int32		group_id;		/* of the built-in one; 0: none to hand on to */
	int16		parts;			/* of it */
	bool		others;			/* there are other groups */
} Consumers;

static Consumers consumers[FIRST_USER_TOPIC_ID];
static uint64 consumers_of = 0; /* the catalog they were listed from; 0: none */

static TimestampTz paused_until = 0;
static bool pause_begins = false;

static void
list_consumers(void)
{
	const ConsumerGroup *groups;
	int			n = catalog_groups(&groups);
	int			i;

	if (consumers_of == catalog_generation())
		return;
	memset(consumers, 0, sizeof(consumers));
	for (i = 0; i < n; i++)
	{
		const ConsumerGroup *group = &groups[i];

		if (group->topic_id >= FIRST_USER_TOPIC_ID)
			continue;
		if (!group->builtin || !builtin_is_handed_on(group->topic_id))
			consumers[group->topic_id].others = true;
		else
		{
			consumers[group->topic_id].group_id = group->id;
			consumers[group->topic_id].parts = group->parts;
		}
	}
	consumers_of = catalog_generation();
}

/* The list is that of hand_on_begin(): what has changed since is found under the group's lock. */
static bool
is_wanted(int32 topic_id)
{
	return topic_id < FIRST_USER_TOPIC_ID && consumers[topic_id].group_id != 0;
}

bool
hand_on_takes(int32 topic_id)
{
	list_consumers();
	return is_wanted(topic_id);
}

void
hand_on_pause(void)
{
	pause_begins = true;
}

void
hand_on_begin(void)
{
	TimestampTz now = GetCurrentTimestamp();

	/* from the next transaction on, before which a worker may have paused for longer itself */
	if (pause_begins)
		paused_until = now + PAUSE;
	pause_begins = false;
	if (!clock_pause_is_over(paused_until, PAUSE, now) || !catalog_stamp_is_own())
		return;
	list_consumers();
	kept_begin(is_wanted);
}

/* The kept messages of a topic and part; returns how many. */
static int
messages_of(int32 topic_id, const LogPart *part, Message **messages)
{
	const Message *all;
	int			n_all = kept_messages(&all);
	int			n = 0;
	int			i;

	*messages = palloc(sizeof(Message) * Max(n_all, 1));
	for (i = 0; i < n_all; i++)
	{
		if (all[i].topic_id == topic_id && log_part_has(part, all[i].key))
			(*messages)[n++] = all[i];
	}
	return n;
}

/* Run the pass in a subtransaction; false if that was rolled back. */
static bool
try_pass(Pass *pass, int16 parts, const Message *messages, int n)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	const Message *ignored;
	int			kept = kept_messages(&ignored);
	volatile bool handled = false;
	volatile bool failed = false;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		handled = pass_handed_on(pass, parts, messages, n);
		if (handled)
			ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		FlushErrorState();
		handled = false;
		failed = true;
	}
	PG_END_TRY();
	if (!handled)
	{
		RollbackAndReleaseCurrentSubTransaction();
		kept_truncate(kept);
	}
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	if (failed)
		hand_on_pause();
	return handled;
}

/* Returns how many messages were handled; *all is cleared if some are left to be read. */
static int
hand_on_to_part(int32 topic_id, const LogPart *part, bool *all)
{
	Pass		pass = {
		.group_id = consumers[topic_id].group_id,
		.part = part->part,
		.mode = PASS_SET,
		.limit = setting_batch_size,
		.builtin = true
	};
	Message    *messages;
	int			n = messages_of(topic_id, part, &messages);

	if (n == 0)
		return 0;
	if (n < MIN_HANDED_ON || !try_pass(&pass, part->parts, messages, n))
	{
		*all = false;
		return 0;
	}
	kept_close(topic_id, part);
	/* when they are due again is found by the group's next pass */
	if (pass.busy > 0)
		*all = false;
	return pass.handled;
}

/* There may be other groups by now. */
static bool
list_is_old(void)
{
	const ConsumerGroup *groups;

	(void) catalog_groups(&groups);
	return consumers_of != catalog_generation();
}

/* To all parts of the topic's group; who else reads it, or what is left of it, is woken. */
static int
hand_on_topic(int32 topic_id, bool is_own)
{
	LogPart		part = {.parts = consumers[topic_id].parts};
	bool		all = !is_own && !consumers[topic_id].others;
	int			handled = 0;

	for (part.part = 0; !is_own && part.part < part.parts; part.part++)
		handled += hand_on_to_part(topic_id, &part, &all);
	if (!all || list_is_old())
		wake_note_topic(topic_id);
	return handled;
}

static int
hand_on(int32 own_group_id, bool further)
{
	static bool seen[FIRST_USER_TOPIC_ID];
	const Message *messages;
	int			first = kept_messages(&messages);
	int			handled = 0;
	int			i;

	memset(seen, false, sizeof(seen));
	for (i = 0; i < kept_messages(&messages); i++)
	{
		int32		topic_id = messages[i].topic_id;

		if (seen[topic_id])
			continue;
		seen[topic_id] = true;
		if (i < first || further)
			handled += hand_on_topic(topic_id, consumers[topic_id].group_id == own_group_id);
		else
			wake_note_topic(topic_id);
	}
	kept_end();
	return handled;
}

int
hand_on_of_pass(int32 own_group_id)
{
	return hand_on(own_group_id, true);
}

int
hand_on_once(void)
{
	return hand_on(0, false);
}

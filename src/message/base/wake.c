/*
 * wake.c
 *		Waking the workers at commit; see wake.h.
 */
#include "compat.h"

#include "access/xact.h"
#include "utils/resowner.h"

#include "message/base/wake.h"

static WakeNotifier notify = NULL;

static uint64 pending_topics = 0;
static bool pending_timers = false;
static TimestampTz pending_due = 0;
static bool pending_database = false;
static bool committed = false;

void
wake_note_topic(int32 topic_id)
{
	pending_topics |= WAKE_TOPIC_BIT(topic_id);
}

void
wake_note_timer(TimestampTz due)
{
	if (!pending_timers || due < pending_due)
		pending_due = due;
	pending_timers = true;
}

void
wake_note_groups(void)
{
	pending_topics = WAKE_ALL_TOPICS;
}

void
wake_note_database(void)
{
	pending_database = true;
}

static void
forget_pending(void)
{
	pending_database = false;
	pending_topics = 0;
	pending_timers = false;
}

/*
 * Notes of a rolled back subtransaction are kept: a needless wake-up is harmless, a missing one
 * is not. A prepared transaction is committed by another session, so the workers' slow poll finds
 * its messages.
 */
static void
on_transaction_event(XactEvent event, void *arg)
{
	switch (event)
	{
		case XACT_EVENT_COMMIT:
			committed = (pending_topics != 0 || pending_timers || pending_database);
			break;
		case XACT_EVENT_ABORT:
		case XACT_EVENT_PREPARE:
			forget_pending();
			break;
		default:
			break;
	}
}

/*
 * The last step of a commit that has a callback. At XACT_EVENT_COMMIT, locks are still held and
 * invalidation messages not yet sent: a worker woken there might look too early, and miss a group
 * that has just been created.
 */
static void
on_resource_release(ResourceReleasePhase phase, bool is_commit, bool is_top_level, void *arg)
{
	if (!committed || !is_top_level || phase != RESOURCE_RELEASE_AFTER_LOCKS)
		return;
	committed = false;
	if (notify != NULL)
		notify(pending_topics, pending_timers, pending_due, pending_database);
	forget_pending();
}

void
wake_set_notifier(WakeNotifier notifier)
{
	notify = notifier;
}

static bool (*waiting_begin) (uint64 topic_bits) = NULL;
static void (*waiting_end) (void) = NULL;

void
wake_set_waiting(bool (*begin) (uint64 topic_bits), void (*end) (void))
{
	waiting_begin = begin;
	waiting_end = end;
}

bool
wake_begin_waiting(uint64 topic_bits)
{
	return waiting_begin != NULL && waiting_begin(topic_bits);
}

void
wake_end_waiting(void)
{
	if (waiting_end != NULL)
		waiting_end();
}

void
wake_init(void)
{
	RegisterXactCallback(on_transaction_event, NULL);
	RegisterResourceReleaseCallback(on_resource_release, NULL);
}

/*
 * wake.c
 *		Waking the workers at commit; see wake.h.
 */
#include "compat.h"

#include "access/xact.h"

#include "message/wake.h"

static WakeNotifier notify = NULL;

static uint64 pending_topics = 0;
static bool pending_timers = false;
static TimestampTz pending_due = 0;
static bool pending_database = false;

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
 * What a rolled back subtransaction noted stays: waking for nothing is harmless, and
 * the other way round is not. A prepared transaction's commit is somebody else's, so
 * the workers' slow poll finds its messages.
 */
static void
on_transaction_event(XactEvent event, void *arg)
{
	switch (event)
	{
		case XACT_EVENT_COMMIT:
			if (notify != NULL && (pending_topics != 0 || pending_timers || pending_database))
				notify(pending_topics, pending_timers, pending_due, pending_database);
			forget_pending();
			break;
		case XACT_EVENT_ABORT:
		case XACT_EVENT_PREPARE:
			forget_pending();
			break;
		default:
			break;
	}
}

void
wake_set_notifier(WakeNotifier notifier)
{
	notify = notifier;
}

void
wake_init(void)
{
	RegisterXactCallback(on_transaction_event, NULL);
}

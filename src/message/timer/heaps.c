/*
 * heaps.c
 *		The order in which queued timers fire; see heaps.h.
 */
#include "compat.h"

#include "message/timer/heaps.h"

/* The timers of a topic, and its place among the topics that have some. */
typedef struct TopicTimers
{
	int32		topic_id;		/* key */
	pairingheap timers;
	pairingheap_node node;
} TopicTimers;

/* A pairing heap has its greatest element on top; ours has the earliest. */
static int
compare_timers(const pairingheap_node *a, const pairingheap_node *b, void *arg)
{
	const QueuedTimer *left = pairingheap_const_container(QueuedTimer, node, a);
	const QueuedTimer *right = pairingheap_const_container(QueuedTimer, node, b);

	(void) arg;
	if (left->due_at != right->due_at)
		return left->due_at < right->due_at ? 1 : -1;
	if (left->message_id != right->message_id)
		return left->message_id < right->message_id ? 1 : -1;
	return 0;
}

static QueuedTimer *
first_of(const TopicTimers *topic)
{
	return pairingheap_container(QueuedTimer, node,
								 pairingheap_first((pairingheap *) &topic->timers));
}

static int
compare_topics(const pairingheap_node *a, const pairingheap_node *b, void *arg)
{
	const TopicTimers *left = pairingheap_const_container(TopicTimers, node, a);
	const TopicTimers *right = pairingheap_const_container(TopicTimers, node, b);

	return compare_timers(&first_of(left)->node, &first_of(right)->node, arg);
}

void
timer_heaps_make(TimerQueue *queue)
{
	HASHCTL		control = {
		.keysize = sizeof(int32),
		.entrysize = sizeof(TopicTimers),
		.hcxt = queue->context
	};

	queue->topics = hash_create("order_ext topics with timers", 64, &control,
								HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	queue->order = pairingheap_allocate(compare_topics, NULL);
}

void
timer_heaps_add(TimerQueue *queue, QueuedTimer *timer)
{
	TopicTimers *topic;
	bool		found;

	topic = hash_search(queue->topics, &timer->topic_id, HASH_ENTER, &found);
	if (!found)
	{
		topic->timers.ph_compare = compare_timers;
		topic->timers.ph_arg = NULL;
		topic->timers.ph_root = NULL;
	}
	queue->buckets[timer->bucket].queued++;
	if (pairingheap_is_empty(&topic->timers))
	{
		pairingheap_add(&topic->timers, &timer->node);
		pairingheap_add(queue->order, &topic->node);
	}
	else if (compare_timers(&timer->node, &first_of(topic)->node, NULL) > 0)
	{
		/* its place among the topics changes */
		pairingheap_remove(queue->order, &topic->node);
		pairingheap_add(&topic->timers, &timer->node);
		pairingheap_add(queue->order, &topic->node);
	}
	else
		pairingheap_add(&topic->timers, &timer->node);
}

static TopicTimers *
first_topic(TimerQueue *queue)
{
	if (pairingheap_is_empty(queue->order))
		return NULL;
	return pairingheap_container(TopicTimers, node, pairingheap_first(queue->order));
}

TimestampTz
timer_heaps_first_due(TimerQueue *queue)
{
	const TopicTimers *topic = first_topic(queue);

	return topic != NULL ? first_of(topic)->due_at : DT_NOEND;
}

static bool
topic_is_due(const TopicTimers *topic, TimestampTz now)
{
	return !pairingheap_is_empty(&topic->timers) && first_of(topic)->due_at <= now;
}

/*
 * Due timers are taken from the topics in turn, so that a topic with a few timers does not have
 * to wait until all of one with very many have fired.
 */
int
timer_heaps_take(TimerQueue *queue, int limit, TimestampTz now, QueuedTimer **taken)
{
	TopicTimers **due = palloc(sizeof(TopicTimers *) * Max(limit, 1));
	int			n_due = 0;
	int			n_left;
	int			n = 0;
	int			i;

	while (n_due < limit && first_topic(queue) != NULL && topic_is_due(first_topic(queue), now))
	{
		due[n_due++] = first_topic(queue);
		pairingheap_remove_first(queue->order);
	}
	for (n_left = n_due; n_left > 0 && n < limit;)
	{
		int			share = Max((limit - n) / n_left, 1);

		n_left = 0;
		for (i = 0; i < n_due; i++)
		{
			int			upto = Min(n + share, limit);

			while (n < upto && topic_is_due(due[i], now))
			{
				taken[n] = pairingheap_container(QueuedTimer, node,
												 pairingheap_remove_first(&due[i]->timers));
				queue->buckets[taken[n++]->bucket].queued--;
			}
			n_left += topic_is_due(due[i], now);
		}
	}
	for (i = 0; i < n_due; i++)
	{
		if (!pairingheap_is_empty(&due[i]->timers))
			pairingheap_add(queue->order, &due[i]->node);
	}
	pfree(due);
	return n;
}

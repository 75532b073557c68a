/*
 * heaps.c
 *		The order in which queued timers fire; see heaps.h.
 *
 * Each topic has a heap in which every timer has four children, all of them due later, in chunks
 * that are never moved: a million timers take 24 bytes each, and taking out the first one touches
 * a handful of places in memory.
 */
#include "compat.h"

#include "lib/pairingheap.h"

#include "message/timer/heaps.h"

#define CHILDREN 4
#define CHUNK_TIMERS 4096

/* The timers of a topic, and its place among the topics that have some. */
typedef struct TopicTimers
{
	int32		topic_id;		/* key */
	int64		n;
	QueuedTimer **chunks;
	int64		n_chunks;		/* allocated ones */
	int64		room;			/* for chunks */
	pairingheap_node node;
} TopicTimers;

static QueuedTimer *
at(const TopicTimers *topic, int64 i)
{
	return &topic->chunks[i / CHUNK_TIMERS][i % CHUNK_TIMERS];
}

static bool
is_before(const QueuedTimer *left, const QueuedTimer *right)
{
	if (left->due_at != right->due_at)
		return left->due_at < right->due_at;
	return left->message_id < right->message_id;
}

/* A pairing heap has its greatest element on top; ours has the earliest. */
static int
compare_topics(const pairingheap_node *a, const pairingheap_node *b, void *arg)
{
	const QueuedTimer *left = at(pairingheap_const_container(TopicTimers, node, a), 0);
	const QueuedTimer *right = at(pairingheap_const_container(TopicTimers, node, b), 0);

	(void) arg;
	return is_before(left, right) ? 1 : is_before(right, left) ? -1 : 0;
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

/* ---- the heap of a topic ---- */

/* Room for one more timer. */
static void
make_room(TimerQueue *queue, TopicTimers *topic)
{
	if (topic->n < topic->n_chunks * CHUNK_TIMERS)
		return;
	if (topic->chunks == NULL)
	{
		topic->room = 16;
		topic->chunks = MemoryContextAlloc(queue->context, sizeof(QueuedTimer *) * topic->room);
	}
	else if (topic->n_chunks == topic->room)
	{
		topic->room *= 2;
		topic->chunks = repalloc(topic->chunks, sizeof(QueuedTimer *) * topic->room);
	}
	topic->chunks[topic->n_chunks++] =
		MemoryContextAlloc(queue->context, sizeof(QueuedTimer) * CHUNK_TIMERS);
}

/* One chunk is kept, so that a single timer that comes and goes needs none. */
static void
give_back_room(TopicTimers *topic)
{
	while (topic->n_chunks > 1 && topic->n <= (topic->n_chunks - 2) * CHUNK_TIMERS)
		pfree(topic->chunks[--topic->n_chunks]);
}

static void
heap_add(TimerQueue *queue, TopicTimers *topic, const QueuedTimer *timer)
{
	int64		i = topic->n;

	make_room(queue, topic);
	topic->n++;
	while (i > 0)
	{
		int64		parent = (i - 1) / CHILDREN;

		if (!is_before(timer, at(topic, parent)))
			break;
		*at(topic, i) = *at(topic, parent);
		i = parent;
	}
	*at(topic, i) = *timer;
}

static QueuedTimer
heap_take(TopicTimers *topic)
{
	QueuedTimer first = *at(topic, 0);
	QueuedTimer last = *at(topic, --topic->n);
	int64		i = 0;

	while (i * CHILDREN + 1 < topic->n)
	{
		int64		child = i * CHILDREN + 1;
		int64		end = Min(child + CHILDREN, topic->n);
		int64		next;

		for (next = child + 1; next < end; next++)
		{
			if (is_before(at(topic, next), at(topic, child)))
				child = next;
		}
		if (!is_before(at(topic, child), &last))
			break;
		*at(topic, i) = *at(topic, child);
		i = child;
	}
	if (topic->n > 0)
		*at(topic, i) = last;
	give_back_room(topic);
	return first;
}

/* ---- all topics ---- */

void
timer_heaps_add(TimerQueue *queue, int32 topic_id, const QueuedTimer *timer)
{
	TopicTimers *topic;
	bool		found;
	bool		is_first;

	topic = hash_search(queue->topics, &topic_id, HASH_ENTER, &found);
	if (!found)
	{
		topic->n = topic->n_chunks = topic->room = 0;
		topic->chunks = NULL;
	}
	queue->buckets[timer->bucket].queued++;
	is_first = topic->n == 0 || is_before(timer, at(topic, 0));
	if (is_first && topic->n > 0)
		pairingheap_remove(queue->order, &topic->node); /* its place among the topics changes */
	heap_add(queue, topic, timer);
	if (is_first)
		pairingheap_add(queue->order, &topic->node);
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

	return topic != NULL ? at(topic, 0)->due_at : DT_NOEND;
}

int32
timer_heaps_first_topic(TimerQueue *queue)
{
	const TopicTimers *topic = first_topic(queue);

	return topic != NULL ? topic->topic_id : 0;
}

static bool
topic_is_due(const TopicTimers *topic, TimestampTz now)
{
	return topic->n > 0 && at(topic, 0)->due_at <= now;
}

/*
 * Due timers are taken from the topics in turn, so that a topic with a few timers does not have
 * to wait until all of one with very many have fired.
 */
int
timer_heaps_take(TimerQueue *queue, int limit, TimestampTz now, QueuedTimer *taken)
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
				taken[n] = heap_take(due[i]);
				queue->buckets[taken[n++].bucket].queued--;
			}
			n_left += topic_is_due(due[i], now);
		}
	}
	for (i = 0; i < n_due; i++)
	{
		if (due[i]->n > 0)
			pairingheap_add(queue->order, &due[i]->node);
	}
	pfree(due);
	return n;
}

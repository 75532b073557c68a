/*
 * kept.c
 *		Messages kept in memory to be handed on; see kept.h.
 */
#include "compat.h"

#include "storage/proc.h"
#include "utils/memutils.h"

#include "core/errors.h"
#include "message/log/kept.h"

typedef struct ClosedPart
{
	int32		topic_id;
	LogPart		part;
	struct ClosedPart *next;
} ClosedPart;

/* All of it is in the memory of the transaction with this local id. */
static LocalTransactionId kept_in = InvalidLocalTransactionId;
static bool (*is_wanted) (int32 topic_id) = NULL;	/* NULL: nothing more is kept */
static Message *kept = NULL;
static int	n_kept = 0;
static int	room = 0;
static ClosedPart *closed = NULL;

static bool
is_current(void)
{
	return kept_in != InvalidLocalTransactionId && kept_in == MyLocalTransactionId;
}

void
kept_begin(bool (*wanted) (int32 topic_id))
{
	kept_in = MyLocalTransactionId;
	is_wanted = wanted;
	kept = NULL;
	n_kept = 0;
	room = 0;
	closed = NULL;
}

void
kept_end(void)
{
	is_wanted = NULL;
	n_kept = 0;
}

bool
kept_note(const Message *message)
{
	MemoryContext old;
	Message    *copy;

	if (!is_current() || is_wanted == NULL || !is_wanted(message->topic_id))
		return false;
	old = MemoryContextSwitchTo(TopTransactionContext);
	if (n_kept == room)
	{
		room = Max(room * 2, 64);
		kept = kept == NULL ? palloc(sizeof(Message) * room)
			: repalloc(kept, sizeof(Message) * room);
	}
	copy = &kept[n_kept++];
	*copy = *message;
	copy->payload = DatumGetJsonbPCopy(JsonbPGetDatum(message->payload));
	MemoryContextSwitchTo(old);
	return true;
}

int
kept_messages(const Message **messages)
{
	*messages = kept;
	return is_current() ? n_kept : 0;
}

void
kept_truncate(int n)
{
	n_kept = Min(n, n_kept);
}

void
kept_close(int32 topic_id, const LogPart *part)
{
	ClosedPart *one = MemoryContextAlloc(TopTransactionContext, sizeof(ClosedPart));

	Assert(is_current());
	one->topic_id = topic_id;
	one->part = *part;
	one->next = closed;
	closed = one;
}

void
kept_refuse_closed(int32 topic_id, int64 key)
{
	const ClosedPart *one;

	if (!is_current())
		return;
	for (one = closed; one != NULL; one = one->next)
	{
		if (one->topic_id == topic_id && log_part_has(&one->part, key))
			error_conflict("messages of this topic were handed on in this transaction");
	}
}

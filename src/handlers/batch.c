/*
 * batch.c
 *		The batch of messages passed to a handler; see batch.h.
 */
#include "compat.h"

#include "handlers/batch.h"

int64 *
batch_keys(const Message *messages, int n)
{
	int64	   *keys = palloc(sizeof(int64) * Max(n, 1));
	int			i;

	for (i = 0; i < n; i++)
		keys[i] = messages[i].key;
	return keys;
}

void
batch_mark_busy(Message *messages, int n, const bool *busy)
{
	int			i;

	for (i = 0; i < n; i++)
	{
		if (busy[i])
			messages[i].outcome = MESSAGE_BUSY;
	}
}

int64 *
batch_lock(LockClass lock_class, Message *messages, int n, int *n_locked)
{
	int64	   *keys = batch_keys(messages, n);
	bool	   *busy = palloc(sizeof(bool) * Max(n, 1));
	int			i,
				j = 0;

	*n_locked = lock_try_all(lock_class, keys, n, busy);
	batch_mark_busy(messages, n, busy);
	for (i = 0; i < n; i++)
	{
		if (!busy[i])
			keys[j++] = keys[i];
	}
	return keys;
}

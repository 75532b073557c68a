/*
 * waiters.c
 *		Client processes that wait for messages; see waiters.h.
 *
 * A waiting process first enters its slot and then looks for messages; a publisher first commits
 * and then looks at the slots. In whichever order the two run, one sees the other.
 */
#include "compat.h"

#include "miscadmin.h"
#include "storage/lwlock.h"
#include "storage/proc.h"

#include "worker/shmem.h"
#include "worker/waiters.h"

static WaiterSlot *my_slot = NULL;

bool
waiter_begin(uint64 topic_bits)
{
	uint32		used;
	uint32		i;

	if (worker_shared == NULL || my_slot != NULL)
		return false;
	LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
	used = pg_atomic_read_u32(&worker_shared->waiters_used);
	for (i = 0; i < used && OidIsValid(worker_shared->waiters[i].database); i++)
		;
	if (i < MAX_WAITERS)
	{
		my_slot = &worker_shared->waiters[i];
		my_slot->procno = OE_MY_PROCNO;
		my_slot->topics = topic_bits;
		my_slot->database = MyDatabaseId;
		if (i == used)
			pg_atomic_write_u32(&worker_shared->waiters_used, used + 1);
	}
	LWLockRelease(worker_shared->lock);
	return my_slot != NULL;
}

void
waiter_end(void)
{
	if (my_slot == NULL)
		return;
	LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
	my_slot->database = InvalidOid;
	LWLockRelease(worker_shared->lock);
	my_slot = NULL;
}

/* No lock: a process that is woken needlessly checks and goes back to sleep. */
void
waiters_wake(uint64 topic_bits)
{
	uint32		used;
	uint32		i;

	if (topic_bits == 0)
		return;
	used = pg_atomic_read_u32(&worker_shared->waiters_used);
	for (i = 0; i < used; i++)
	{
		WaiterSlot *waiter = &worker_shared->waiters[i];

		if (waiter->database == MyDatabaseId && (waiter->topics & topic_bits) != 0)
			worker_wake_process(waiter->procno);
	}
}

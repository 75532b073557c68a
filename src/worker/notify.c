/*
 * notify.c
 *		Wake-ups at commit; see notify.h.
 */
#include "compat.h"

#include "miscadmin.h"

#include "worker/away.h"
#include "worker/database_slots.h"
#include "worker/notify.h"
#include "worker/relief.h"
#include "worker/shmem.h"
#include "worker/waiters.h"

static void
note_timers(WorkerSlot *worker, TimestampTz due)
{
	uint64		old = pg_atomic_read_u64(&worker->earliest);

	/* A failed exchange reads the newer value into old. */
	while (due < (TimestampTz) old &&
		   !pg_atomic_compare_exchange_u64(&worker->earliest, &old, (uint64) due))
		;
	pg_memory_barrier();
	if (due < (TimestampTz) pg_atomic_read_u64(&worker->sleep_until))
		worker_wake(worker);
}

static void
note_topics(WorkerSlot *worker, uint64 topic_bits)
{
	uint64		before = pg_atomic_fetch_or_u64(&worker->topics, topic_bits);

	if ((topic_bits & ~before) != 0)
		relief_note_topics(worker, topic_bits & ~before);
	if (topic_bits == ~UINT64CONST(0) ||
		(topic_bits & pg_atomic_read_u64(&worker->interest)) != 0)
		worker_wake(worker);
}

/*
 * No lock: a database slot is reused so rarely that the worst case, needlessly waking another
 * database's worker, does not matter; the workers' safety poll covers a slot that is being taken
 * at this moment.
 */
void
worker_notify(uint64 topic_bits, bool timers, TimestampTz earliest_due, bool database)
{
	DatabaseSlot *db;
	int			w;

	if (worker_shared == NULL)
		return;
	waiters_wake(topic_bits);
	if (database)
		database_announce(MyDatabaseId);
	db = database_slot(MyDatabaseId);
	if (db == NULL)
		return;
	for (w = 0; w < db->n_workers; w++)
	{
		WorkerSlot *worker = &db->workers[w];

		if (worker->state == WORKER_FREE)
			continue;
		if (worker->kind == WORKER_DISPATCHER && topic_bits != 0)
			note_topics(worker, topic_bits);
		else if (worker->kind == WORKER_SCHEDULER && timers)
			note_timers(worker, earliest_due);
	}
	if (topic_bits != 0)
		away_note_topics(db, topic_bits);
}

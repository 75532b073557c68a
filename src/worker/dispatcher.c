/*
 * dispatcher.c
 *		The process that runs handlers; order_ext.workers per (database, role).
 *
 * It is a session of the role, so that a handler cannot do anything as another role. That of the
 * bootstrap superuser runs only built-in handlers, as order_ext_owner. The search_path is
 * ROLE_SEARCH_PATH; the engine's own statements never depend on it (the dispatch code sets
 * pg_catalog, pg_temp around them).
 */
#include "compat.h"

#include "catalog/pg_authid.h"

#include "core/settings.h"
#include "message/base/catalog.h"
#include "message/base/wake.h"
#include "message/delivery/dispatcher_turn.h"
#include "worker/checks.h"
#include "worker/crash_marks.h"
#include "worker/dispatcher.h"
#include "worker/launcher.h"
#include "worker/loop.h"
#include "worker/relief.h"
#include "worker/roles.h"
#include "worker/shmem.h"

/*
 * Let publishers know which topics are read here, so that the others, most of the built-in ones,
 * wake no process. A message just published to a newly added topic has left its bit, which is
 * checked before the next sleep.
 */
static void
gate_and_interest(void)
{
	const ConsumerGroup *groups;
	uint64		interest = 0;
	int			n;
	int			i;

	check_gate();
	if (worker_my_slot->role == BOOTSTRAP_SUPERUSERID)
		roles_tell();
	n = catalog_groups(&groups);
	for (i = 0; i < n; i++)
	{
		if (!dispatcher_serves(&groups[i]))
			continue;
		interest |= WAKE_TOPIC_BIT(groups[i].topic_id);
	}
	pg_atomic_write_u64(&worker_my_slot->interest, interest);
	pg_memory_barrier();
}

static bool
something_published(void)
{
	uint64		topics = pg_atomic_read_u64(&worker_my_slot->topics);

	if (worker_reloaded())
		return true;			/* order_ext.workers may have changed */
	return topics == WAKE_ALL_TOPICS ||
		(topics & pg_atomic_read_u64(&worker_my_slot->interest)) != 0;
}

/* The parts of groups are divided among the configured number of dispatchers. */
static void
serve_role(void)
{
	DispatcherRole served = {
		.role = worker_my_slot->role,
		.builtin = worker_my_slot->role == BOOTSTRAP_SUPERUSERID,
		.ordinal = worker_my_slot->ordinal,
		.count = Max(setting_workers, 1)
	};

	dispatcher_serve(&served);
}

static bool
turn(bool everything, TimestampTz *next_wakeup)
{
	int64		messages = 0;
	int64		batches = 0;
	uint64		topics;
	bool		more;

	serve_role();
	crash_marks_record();
	pg_atomic_write_u64(&worker_my_slot->work_due, (uint64) DT_NOBEGIN);
	topics = pg_atomic_exchange_u64(&worker_my_slot->topics, 0);
	if (everything)
		topics = WAKE_ALL_TOPICS;
	more = dispatcher_turn(topics, next_wakeup, &messages, &batches);
	pg_atomic_write_u64(&worker_my_slot->work_due, (uint64) (more ? DT_NOBEGIN : *next_wakeup));
	if (batches > 0)
		worker_count(batches, messages);
	return more;
}

static void
check_exit(void)
{
	worker_check_exit();
	launcher_replace_if_silent();
	relief_check_exit();
}

void
order_ext_dispatcher_main(Datum main_arg)
{
	static const WorkerLoop loop = {
		.activity = "handling messages",
		.idle = "OrderExtDispatcherIdle",
		.wanted = something_published,
		.turn = turn,
		.gate = gate_and_interest,
		.check_exit = check_exit,
		.forget = relief_forget,
	};

	worker_start(main_arg);
	crash_marks_attach();
	relief_watch_me();
	serve_role();
	worker_loop(&loop);
}

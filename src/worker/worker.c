/*
 * worker.c
 *		Initialization of the background workers; see worker.h and README.md.
 */
#include "compat.h"

#include "miscadmin.h"

#include "core/node.h"
#include "message/base/wake.h"
#include "worker/crash_marks.h"
#include "worker/hooks.h"
#include "worker/launcher.h"
#include "worker/notify.h"
#include "worker/shmem.h"
#include "worker/waiters.h"
#include "worker/worker.h"

static void
memory_is_new(void)
{
	crash_marks_startup();
	node_startup();
}

void
worker_init(void)
{
	/* pg_upgrade runs a server on a cluster that only it may change. */
	if (IsBinaryUpgrade)
		return;
	hooks_init();
	if (!process_shared_preload_libraries_in_progress)
		return;
	shmem_init(memory_is_new);
	launcher_register();
	wake_set_notifier(worker_notify);
	wake_set_waiting(waiter_begin, waiter_end);
}

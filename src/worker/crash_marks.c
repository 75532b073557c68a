/*
 * crash_marks.c
 *		What each worker is running; see crash_marks.h.
 *
 * Shared memory is made anew after a crash, the file is not: what a process stored there
 * in its last moment can be read afterwards, however it died. No mark needs a system call.
 * It is written out to disk at leisure: a crash of the whole machine is no message's doing.
 */
#include "compat.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file_perm.h"
#include "miscadmin.h"
#include "postmaster/interrupt.h"
#include "storage/fd.h"
#include "storage/proc.h"

#include "message/delivery/quarantine.h"
#include "worker/crash_marks.h"
#include "worker/shmem.h"

#define MARKS_FILE "order_ext.running"

static RunningMark *marks = NULL;
static int	n_marks = 0;

/* Map the file, of a size that fits this server; without it nothing is marked. */
static void
map_file(void)
{
	Size		size;
	int			fd;
	void	   *mapped;

	n_marks = MaxBackends;
	size = sizeof(RunningMark) * n_marks;
	fd = BasicOpenFilePerm(MARKS_FILE, O_RDWR | O_CREAT | PG_BINARY, pg_file_create_mode);
	if (fd < 0 || ftruncate(fd, size) != 0)
		mapped = MAP_FAILED;
	else
		mapped = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (mapped == MAP_FAILED)
		ereport(LOG,
				(errcode_for_file_access(),
				 errmsg("could not map file \"%s\": %m", MARKS_FILE),
				 errdetail("Messages that crash a worker are not recognized.")));
	else
		marks = mapped;
	if (fd >= 0)
		close(fd);
}

void
crash_marks_startup(void)
{
	int			i;

	if (marks == NULL)
		map_file();
	if (marks == NULL)
		return;
	for (i = 0; i < n_marks; i++)
	{
		if (marks[i].messages > 0 && OidIsValid(marks[i].database) &&
			worker_shared->n_crashed < MAX_CRASHED)
			worker_shared->crashed[worker_shared->n_crashed++] = marks[i];
	}
	memset(marks, 0, sizeof(RunningMark) * n_marks);
}

/* Take what crashed in this database out of shared memory. */
static int
take_crashed(RunningMark *taken)
{
	int			n = 0;
	int			kept = 0;
	int			i;

	LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
	for (i = 0; i < worker_shared->n_crashed; i++)
	{
		if (worker_shared->crashed[i].database == MyDatabaseId)
			taken[n++] = worker_shared->crashed[i];
		else
			worker_shared->crashed[kept++] = worker_shared->crashed[i];
	}
	worker_shared->n_crashed = kept;
	LWLockRelease(worker_shared->lock);
	return n;
}

bool
crash_marks_clear(void)
{
	bool		to_blame;

	if (running_mark == NULL)
		return false;
	to_blame = running_mark->overran && running_mark->messages > 0;
	if (to_blame && worker_shared->n_crashed < MAX_CRASHED)
		worker_shared->crashed[worker_shared->n_crashed++] = *running_mark;
	running_end();
	return to_blame;
}

/* Another process crashed, and this one has to go: the message it runs is not to blame. */
static void
exit_after_crash(SIGNAL_ARGS)
{
	running_end();
	SignalHandlerForCrashExit(postgres_signal_arg);
}

void
crash_marks_attach(void)
{
	RunningMark crashed[MAX_CRASHED];
	int			n = take_crashed(crashed);

	if (n > 0)
		quarantine_record(crashed, n);
	if (marks == NULL || OE_MY_PROCNO >= n_marks)
		return;
	running_mark = &marks[OE_MY_PROCNO];
	memset(running_mark, 0, sizeof(RunningMark));
	pqsignal(SIGQUIT, exit_after_crash);
}

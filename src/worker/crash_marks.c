/*
 * crash_marks.c
 *		What each worker is running; see crash_marks.h.
 *
 * The marks are in separate memory that the postmaster maps once: its children inherit it, and
 * unlike shared memory, it is not recreated after a crash. It is not backed by a file, so storing
 * a mark can never fail for lack of disk space (a store into a mapped file can, by SIGBUS). Each
 * mark is also written to a file, if possible, in case the postmaster is killed together with the
 * worker, as container systems do.
 *
 * The file is in pg_replslot, which backups omit and the server leaves alone. It is trusted only
 * if it is the same file that this machine has written since it was booted: neither a copy nor
 * what the crash of a whole machine left behind shows which process crashed.
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

#include "core/error_facts.h"
#include "message/delivery/quarantine.h"
#include "message/delivery/running.h"
#include "worker/crash_marks.h"
#include "worker/shmem.h"

#define MARKS_FILE "pg_replslot/order_ext.running"
#define MARKS_FILE_BEFORE_0_4 "order_ext.running"
#define BOOT_ID_FILE "/proc/sys/kernel/random/boot_id"	/* Linux; elsewhere it is empty */

#define MARKS_MAGIC 0x6f65726d
#define MAX_CRASHED 64

/*
 * Identifies the file and the boot of the machine; all bytes are set, since it is compared as a
 * whole.
 */
typedef struct MarksHeader
{
	uint32		magic;
	uint32		mark_size;
	uint64		device;
	uint64		inode;
	char		boot_id[40];
} MarksHeader;

/*
 * Both are in one mapping, and in this order in the file: what crashed processes were running,
 * not yet recorded, under WorkerShared.lock; and what each process is running.
 */
static RunningMark *crashed = NULL;
static RunningMark *running = NULL;
static int	n_running = 0;

/* This process' own descriptor of the file, -1: none. */
static int	marks_fd = -1;

/* ---- the file ---- */

/* Write a mark through to the file, if possible. Safe in a signal handler. */
static void
write_mark(const RunningMark *mark)
{
	off_t		at = sizeof(MarksHeader) + sizeof(RunningMark) * (mark - crashed);
	int			save_errno = errno;

	if (marks_fd >= 0)
		(void) !pwrite(marks_fd, mark, sizeof(RunningMark), at);
	errno = save_errno;
}

static void
write_my_mark(void)
{
	write_mark(running_mark);
	if (running_mark->messages > 0 && worker_my_slot != NULL)
		worker_alive(running_mark->started_at);
}

/* What identifies the open file. */
static bool
describe_file(int fd, MarksHeader *header)
{
	struct stat st;
	int			boot_fd;

	memset(header, 0, sizeof(*header));
	if (fstat(fd, &st) != 0)
		return false;
	header->magic = MARKS_MAGIC;
	header->mark_size = sizeof(RunningMark);
	header->device = st.st_dev;
	header->inode = st.st_ino;
	boot_fd = BasicOpenFile(BOOT_ID_FILE, O_RDONLY | PG_BINARY);
	if (boot_fd >= 0)
	{
		if (read(boot_fd, header->boot_id, sizeof(header->boot_id) - 1) < 0)
			memset(header->boot_id, 0, sizeof(header->boot_id));
		close(boot_fd);
	}
	return true;
}

/* ---- what crashed ---- */

/* Keep the mark until it is recorded; if there are too many, the oldest is dropped. */
static void
crashed_add(const RunningMark *mark)
{
	RunningMark *into = &crashed[0];
	int			i;

	if (mark->messages <= 0 || !OidIsValid(mark->database))
		return;
	for (i = 0; i < MAX_CRASHED && into->messages > 0; i++)
	{
		if (crashed[i].messages <= 0 || crashed[i].started_at < into->started_at)
			into = &crashed[i];
	}
	*into = *mark;
	into->recorder = 0;
	write_mark(into);
}

/* Take over the contents of the file if this server's predecessor wrote them. */
static void
read_file(void)
{
	MarksHeader ours;
	MarksHeader found;
	RunningMark mark;
	int			fd = BasicOpenFile(MARKS_FILE, O_RDONLY | PG_BINARY);

	if (fd < 0)
		return;
	if (describe_file(fd, &ours) &&
		read(fd, &found, sizeof(found)) == sizeof(found) &&
		memcmp(&ours, &found, sizeof(found)) == 0)
	{
		while (read(fd, &mark, sizeof(mark)) == sizeof(mark))
			crashed_add(&mark);
	}
	close(fd);
}

/* Rewrite the file with what is in memory; false if that failed. */
static bool
write_file(void)
{
	MarksHeader header;
	Size		size = sizeof(RunningMark) * (MAX_CRASHED + n_running);
	bool		written = false;
	int			fd;

	fd = BasicOpenFilePerm(MARKS_FILE, O_RDWR | O_CREAT | O_TRUNC | PG_BINARY,
						   pg_file_create_mode);
	if (fd < 0)
		return false;
	errno = 0;
	if (describe_file(fd, &header) &&
		write(fd, &header, sizeof(header)) == sizeof(header) &&
		write(fd, crashed, size) == (ssize_t) size)
		written = true;
	if (errno == 0)
		errno = ENOSPC;
	close(fd);
	return written;
}

/* ---- the start of the server ---- */

static bool
map_marks(void)
{
	Size		size = sizeof(RunningMark) * (MAX_CRASHED + MaxBackends);
	void	   *mapped = mmap(NULL, size, PROT_READ | PROT_WRITE,
							  MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (mapped == MAP_FAILED)
	{
		ereport(LOG,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("could not map memory for the marks of running messages: %m"),
				 error_facts("Messages that crash a worker are not recognized.",
							 FACT_INT("bytes", size))));
		return false;
	}
	crashed = mapped;
	running = crashed + MAX_CRASHED;
	n_running = MaxBackends;
	return true;
}

void
crash_marks_startup(void)
{
	int			i;

	if (crashed == NULL)
	{
		if (!map_marks())
			return;
		(void) unlink(MARKS_FILE_BEFORE_0_4);
		read_file();
	}
	for (i = 0; i < n_running; i++)
		crashed_add(&running[i]);
	memset(running, 0, sizeof(RunningMark) * n_running);
	for (i = 0; i < MAX_CRASHED; i++)
		crashed[i].recorder = 0;
	if (!write_file())
	{
		ereport(LOG,
				(errcode_for_file_access(),
				 errmsg("could not write file \"%s\": %m", MARKS_FILE),
				 error_facts("A message that crashes the whole server with its worker is not "
							 "recognized.",
							 FACT_TEXT("file", MARKS_FILE))));
		(void) unlink(MARKS_FILE);
	}
}

/* ---- a worker ---- */

/* Claim crashed messages of this database that no other process is recording. */
static int
claim_crashed(RunningMark *claimed)
{
	int			n = 0;
	int			i;

	LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
	for (i = 0; i < MAX_CRASHED; i++)
	{
		if (crashed[i].messages <= 0 || crashed[i].database != MyDatabaseId ||
			crashed[i].recorder != 0)
			continue;
		crashed[i].recorder = MyProcPid;
		claimed[n++] = crashed[i];
	}
	LWLockRelease(worker_shared->lock);
	return n;
}

/* Drop what this process has claimed, or leave it to others. Lock held exclusively. */
static void
end_claims(bool recorded)
{
	int			i;

	for (i = 0; i < MAX_CRASHED; i++)
	{
		if (crashed[i].recorder != MyProcPid)
			continue;
		crashed[i].recorder = 0;
		if (!recorded)
			continue;
		crashed[i].messages = 0;
		write_mark(&crashed[i]);
	}
}

static bool
any_crashed(int32 group_id)
{
	int			i;

	for (i = 0; i < MAX_CRASHED; i++)
	{
		if (crashed[i].messages > 0 && crashed[i].database == MyDatabaseId &&
			(group_id == 0 || crashed[i].group_id == group_id))
			return true;
	}
	return false;
}

/* Another worker of this database that is about to be ended because of its handler. */
static bool
any_ending(int32 group_id)
{
	int			w;

	for (w = 0; w < worker_my_database->n_workers; w++)
	{
		const WorkerSlot *worker = &worker_my_database->workers[w];
		const RunningMark *mark;

		if (worker == worker_my_slot || worker->procno < 0 || worker->procno >= n_running)
			continue;
		mark = &running[worker->procno];
		if (mark->overran && mark->messages > 0 && mark->database == MyDatabaseId &&
			mark->group_id == group_id)
			return true;
	}
	return false;
}

/* A mark is moved from one place to the other under this lock. */
static bool
unrecorded(int32 group_id)
{
	bool		any;

	LWLockAcquire(worker_shared->lock, LW_SHARED);
	any = any_crashed(group_id) || any_ending(group_id);
	LWLockRelease(worker_shared->lock);
	return any;
}

void
crash_marks_record(void)
{
	RunningMark claimed[MAX_CRASHED];
	int			n;

	if (crashed == NULL || !any_crashed(0))
		return;
	n = claim_crashed(claimed);
	if (n == 0)
		return;
	quarantine_record(claimed, n);
	LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
	end_claims(true);
	LWLockRelease(worker_shared->lock);
}

bool
crash_marks_clear(void)
{
	bool		to_blame;

	if (crashed == NULL)
		return false;
	end_claims(false);
	if (running_mark == NULL)
		return false;
	to_blame = running_mark->overran && running_mark->messages > 0;
	if (to_blame)
		crashed_add(running_mark);
	running_end();
	return to_blame;
}

/* Another process crashed and this one must exit: the message it runs is not to blame. */
static void
exit_after_crash(SIGNAL_ARGS)
{
	running_end();
	SignalHandlerForCrashExit(postgres_signal_arg);
}

void
crash_marks_attach(void)
{
	if (crashed == NULL)
		return;
	marks_fd = BasicOpenFile(MARKS_FILE, O_WRONLY | PG_BINARY);
	crash_marks_record();
	running_mark_unrecorded = unrecorded;
	if (OE_MY_PROCNO >= n_running)
		return;
	running_mark = &running[OE_MY_PROCNO];
	memset(running_mark, 0, sizeof(RunningMark));
	running_mark_changed = write_my_mark;
	pqsignal(SIGQUIT, exit_after_crash);
}

/*
 * node.c
 *		The id of the data directory; see node.h.
 *
 * The file is in pg_replslot, which is for data of this very server: pg_basebackup, pg_rewind and
 * other backup tools omit its contents, and restarts leave them alone. A copy made file by file
 * (cp, rsync) includes it: this is recognized by a different inode number together with an inode
 * that was last changed at another time than that of the file's creation. (One of them alone proves
 * nothing: some file systems renumber files, and chown changes the inode of a file that stays in
 * place.) Both times are the file system's; the later one is lower if the clock was set back. The
 * snapshot of a disk cannot be distinguished from the disk.
 */
#include "compat.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "access/xlog.h"
#include "common/file_perm.h"
#include "storage/fd.h"

#include "core/node.h"

#define NODE_FILE "pg_replslot/order_ext.node"
#define NODE_FILE_NEW NODE_FILE ".new"

/* Renaming the file into place, within this time, also changes its inode. */
#define RENAME_SECONDS 1

typedef struct NodeFile
{
	int64		id;				/* 0 = not known */
	bool		inherits;		/* it was a standby: all stamps count as its own */
	bool		stored;			/* the file says so */
} NodeFile;

static NodeFile node;

/* Whether the open file is a copy of the one that was created then, with that inode. */
static bool
is_copy(int fd, unsigned long long inode, long long created_at)
{
	struct stat st;

	return fstat(fd, &st) == 0 && (unsigned long long) st.st_ino != inode &&
		llabs((long long) st.st_ctime - created_at) > RENAME_SECONDS;
}

static void
read_node(void)
{
	char		text[256];
	unsigned long long id;
	unsigned long long inode;
	long long	created_at;
	int			inherits;
	ssize_t		length;
	int			fd = BasicOpenFile(NODE_FILE, O_RDONLY | PG_BINARY);

	if (fd < 0)
		return;
	length = read(fd, text, sizeof(text) - 1);
	text[Max(length, 0)] = '\0';
	if (sscanf(text, "%llx %d %llu %lld", &id, &inherits, &inode, &created_at) != 4 ||
		(int64) id <= 0)
		ereport(LOG,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("file \"%s\" does not contain the ID of this server", NODE_FILE)));
	else if (!is_copy(fd, inode, created_at))
	{
		node.id = (int64) id;
		node.inherits = inherits != 0;
		node.stored = true;
	}
	close(fd);
}

/* Write node to the file durably; false, with a log message, if that fails. */
static bool
store_node(void)
{
	char		text[256];
	struct stat st;
	bool		written = false;
	int			length;
	int			fd;

	(void) unlink(NODE_FILE_NEW);	/* a new file has a new time */
	fd = BasicOpenFilePerm(NODE_FILE_NEW, O_WRONLY | O_CREAT | O_EXCL | PG_BINARY,
						   pg_file_create_mode);
	if (fd >= 0)
	{
		if (fstat(fd, &st) == 0)
		{
			length = snprintf(text, sizeof(text), "%016llx %d %llu %lld\n",
							  (unsigned long long) node.id, node.inherits,
							  (unsigned long long) st.st_ino, (long long) st.st_ctime);
			errno = 0;
			written = write(fd, text, length) == length && pg_fsync(fd) == 0;
			if (errno == 0)
				errno = ENOSPC;
		}
		if (!written)
			ereport(LOG,
					(errcode_for_file_access(),
					 errmsg("could not write file \"%s\": %m", NODE_FILE_NEW)));
		close(fd);
	}
	else
		ereport(LOG,
				(errcode_for_file_access(),
				 errmsg("could not create file \"%s\": %m", NODE_FILE_NEW)));
	if (!written || durable_rename(NODE_FILE_NEW, NODE_FILE, LOG) != 0)
	{
		(void) unlink(NODE_FILE_NEW);
		return false;
	}
	node.stored = true;
	return true;
}

static void
know_node(void)
{
	if (node.id == 0)
		read_node();
}

static void
invent_node(void)
{
	if (node.id != 0)
		return;
	if (!pg_strong_random(&node.id, sizeof(node.id)))
		node.id = (int64) time(NULL);
	node.id = (node.id & PG_INT64_MAX) | 1; /* neither of the special values */
}

void
node_startup(void)
{
	struct stat st;

	know_node();
	if (stat(STANDBY_SIGNAL_FILE, &st) != 0 || (node.inherits && node.stored))
		return;
	invent_node();
	node.inherits = true;
	(void) store_node();		/* at worst it is known only until the next start */
}

void
node_create(void)
{
	know_node();
	if (node.stored)
		return;
	invent_node();
	if (!store_node() && !node.inherits)
		node.id = 0;
}

int64
node_id(void)
{
	know_node();
	return node.stored ? node.id : NODE_ANY;
}

bool
node_may_dispatch(int64 stamped)
{
	if (stamped == NODE_ANY)
		return true;
	if (stamped == NODE_NONE)
		return false;
	know_node();

	/*
	 * Whether a standby takes over the stamps is decided at promotion; nothing dispatches before
	 * that.
	 */
	return node.inherits || stamped == node.id || RecoveryInProgress();
}

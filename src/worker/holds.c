/*
 * holds.c
 *		Commands that need a database without workers; see holds.h.
 *
 * DROP DATABASE, ALTER DATABASE RENAME and SET TABLESPACE, and CREATE DATABASE ... TEMPLATE need
 * exclusive use of the database. Stopping its workers ends handlers, so it is done only for a
 * command that the server would execute: one that it rejects anyway (in a transaction block or a
 * function, on the current database, without privileges) proceeds directly to its error. In
 * particular, a handler cannot end its own worker in this way. Nor is it done while sessions of
 * clients keep the command from being executed: they get their time to leave first, as from the
 * server.
 */
#include "compat.h"

#include "catalog/pg_authid.h"
#include "catalog/pg_database.h"
#include "commands/dbcommands.h"
#include "commands/defrem.h"
#include "commands/tablespace.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "storage/latch.h"
#include "storage/proc.h"
#include "storage/procarray.h"
#include "utils/acl.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"
#include "utils/wait_event.h"

#include "worker/database_slots.h"
#include "worker/databases.h"
#include "worker/holds.h"
#include "worker/shmem.h"

/* As long as the server waits for sessions to leave. */
#define SESSIONS_PATIENCE_US (5 * USECS_PER_SEC)

/* How long a worker within a batch has before SIGTERM, and how long the command waits at most. */
#define GRACE_US (500 * INT64CONST(1000))
#define PATIENCE_US (10 * USECS_PER_SEC)

static DatabaseList held;		/* by this transaction */

/* ---- stopping workers ---- */

/* Keep workers from the database until this transaction ends. */
static void
hold(Oid database)
{
	DatabaseSlot *db;
	int			before = held.n;

	databases_add(&held, database);
	if (held.n == before)
		return;
	LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
	db = database_slot_create(database);
	if (db != NULL)
		db->holds++;
	else
		held.n = before;		/* no slot, so no workers either */
	LWLockRelease(worker_shared->lock);
}

void
holds_release(void)
{
	int			i;

	if (held.n == 0)
		return;
	LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
	for (i = 0; i < held.n; i++)
	{
		DatabaseSlot *db = database_slot(held.oids[i]);

		if (db == NULL || db->holds == 0)
			continue;
		db->holds--;

		/*
		 * Whether the database still exists is found out by the launcher when it starts a worker.
		 */
		db->verdict = VERDICT_UNKNOWN;
	}
	held.n = 0;
	LWLockRelease(worker_shared->lock);
	worker_wake_launcher();
}

/* Ask (or force) the workers to exit; false once there are none. */
static bool
send_away(Oid database, bool force)
{
	DatabaseSlot *db;
	bool		any = false;
	int			w;

	LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
	db = database_slot(database);
	for (w = 0; db != NULL && w < MAX_DATABASE_WORKERS; w++)
	{
		if (db->workers[w].state == WORKER_FREE)
			continue;
		any = true;
		if (force)
			worker_terminate(&db->workers[w]);
		else
			worker_send_away(&db->workers[w]);
	}
	LWLockRelease(worker_shared->lock);
	return any;
}

/*
 * Whether clients are connected to the database; not who the server itself sends away. What an
 * exited process has left in its place is not reset before the next one takes it, so the process
 * is looked up among those that are there.
 */
static bool
has_clients(Oid database)
{
	int			i;

	for (i = 0; i < (int) ProcGlobal->allProcCount; i++)
	{
		PGPROC	   *proc = &ProcGlobal->allProcs[i];

		if (proc != MyProc && proc->databaseId == database && OE_IS_CLIENT(proc) &&
			BackendPidGetProc(proc->pid) == proc)
			return true;
	}
	return false;
}

/* False if clients stay in the database. */
static bool
clients_leave(Oid database)
{
	TimestampTz started = GetCurrentTimestamp();
	uint32		wait_event = wait_event_named("OrderExtClearDatabase");

	while (has_clients(database))
	{
		if (GetCurrentTimestamp() - started > SESSIONS_PATIENCE_US)
			return false;
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
						 100, wait_event);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
	}
	return true;
}

/* Hold the database and wait until its workers have exited. */
static void
clear_database(Oid database)
{
	TimestampTz started = GetCurrentTimestamp();
	uint32		wait_event = wait_event_named("OrderExtClearDatabase");
	bool		forced = false;

	hold(database);
	while (send_away(database, forced))
	{
		int64		waited = GetCurrentTimestamp() - started;

		if (waited > PATIENCE_US)
			break;				/* the command itself reports which sessions are in the way */
		forced = (waited > GRACE_US);
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
						 forced ? 100 : 10, wait_event);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
	}
}

/* ---- which commands ---- */

static DefElem *
find_option(List *options, const char *name)
{
	ListCell   *cell;

	foreach(cell, options)
	{
		DefElem    *option = lfirst_node(DefElem, cell);

		if (strcmp(option->defname, name) == 0)
			return option;
	}
	return NULL;
}

/* The database, if the user owns it; InvalidOid if not, or if it does not exist. */
static Oid
own_database(const char *name)
{
	Oid			database = get_database_oid(name, true);

	return OidIsValid(database) && OE_OWNS_DATABASE(database, GetUserId()) ? database : InvalidOid;
}

static bool
may_create_databases(void)
{
	HeapTuple	tuple;
	bool		may = superuser();

	if (may)
		return true;
	tuple = SearchSysCache1(AUTHOID, ObjectIdGetDatum(GetUserId()));
	if (HeapTupleIsValid(tuple))
	{
		may = ((Form_pg_authid) GETSTRUCT(tuple))->rolcreatedb;
		ReleaseSysCache(tuple);
	}
	return may;
}

static void
get_database_place(Oid database, bool *is_template, Oid *tablespace)
{
	HeapTuple	tuple = SearchSysCache1(DATABASEOID, ObjectIdGetDatum(database));

	*is_template = false;
	*tablespace = InvalidOid;
	if (!HeapTupleIsValid(tuple))
		return;
	*is_template = ((Form_pg_database) GETSTRUCT(tuple))->datistemplate;
	*tablespace = ((Form_pg_database) GETSTRUCT(tuple))->dattablespace;
	ReleaseSysCache(tuple);
}

static Oid
to_be_dropped(const DropdbStmt *drop, bool in_block)
{
	Oid			database = own_database(drop->dbname);
	bool		is_template;
	Oid			tablespace;

	if (in_block || !OidIsValid(database) || database == MyDatabaseId)
		return InvalidOid;
	get_database_place(database, &is_template, &tablespace);
	return is_template ? InvalidOid : database;
}

static Oid
to_be_renamed(const RenameStmt *rename)
{
	Oid			database;

	if (rename->renameType != OBJECT_DATABASE)
		return InvalidOid;
	database = own_database(rename->subname);
	if (!OidIsValid(database) || database == MyDatabaseId || !may_create_databases() ||
		OidIsValid(get_database_oid(rename->newname, true)))
		return InvalidOid;
	return database;
}

static Oid
to_be_moved(const AlterDatabaseStmt *alter, bool in_block)
{
	DefElem    *option = find_option(alter->options, "tablespace");
	Oid			database = InvalidOid;
	bool		is_template;
	Oid			from;
	Oid			to;

	if (option != NULL && list_length(alter->options) == 1 && !in_block)
		database = own_database(alter->dbname);
	if (!OidIsValid(database) || database == MyDatabaseId)
		return InvalidOid;
	get_database_place(database, &is_template, &from);
	to = get_tablespace_oid(defGetString(option), true);
	if (!OidIsValid(to) || to == from || !may_create_in_tablespace(to, GetUserId()))
		return InvalidOid;
	return database;
}

/* The current one may be copied; in that case, only the workers are in the way. */
static Oid
to_be_copied(const CreatedbStmt *create, bool in_block)
{
	DefElem    *option = find_option(create->options, "template");

	if (option == NULL || option->arg == NULL || in_block || !may_create_databases() ||
		OidIsValid(get_database_oid(create->dbname, true)))
		return InvalidOid;
	return own_database(defGetString(option));
}

void
holds_before(Node *command, bool in_block)
{
	Oid			database = InvalidOid;
	bool		force = false;

	switch (nodeTag(command))
	{
		case T_DropdbStmt:
			database = to_be_dropped((DropdbStmt *) command, in_block);
			force = find_option(((DropdbStmt *) command)->options, "force") != NULL;
			break;
		case T_RenameStmt:
			database = to_be_renamed((RenameStmt *) command);
			break;
		case T_AlterDatabaseStmt:
			database = to_be_moved((AlterDatabaseStmt *) command, in_block);
			break;
		case T_CreatedbStmt:
			database = to_be_copied((CreatedbStmt *) command, in_block);
			break;
		default:
			break;
	}
	if (OidIsValid(database) && (force || clients_leave(database)))
		clear_database(database);
}

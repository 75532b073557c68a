/*
 * hooks.c
 *		Commands that concern the workers.
 *
 * DROP DATABASE, ALTER DATABASE RENAME and SET TABLESPACE, and CREATE DATABASE ...
 * TEMPLATE need the database for themselves: its workers are sent away first and kept
 * away until the command's transaction has ended, however it ended.
 *
 * CREATE EXTENSION (by announce(), which its script calls), enable_dispatch(), new databases and
 * changes of a database's settings are told to the launcher at commit.
 */
#include "compat.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/pg_database.h"
#include "commands/dbcommands.h"
#include "commands/defrem.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "storage/latch.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/timestamp.h"
#include "utils/wait_event.h"

#include "worker/hooks.h"
#include "worker/shmem.h"

/* Databases of one transaction; more than this in one need no service. */
#define MAX_NOTED 16

/* A worker in mid-batch gets this long before SIGTERM, and the command this long at all. */
#define GRACE_US (500 * INT64CONST(1000))
#define PATIENCE_US (10 * USECS_PER_SEC)

typedef struct DatabaseList
{
	int			n;
	Oid			oids[MAX_NOTED];
} DatabaseList;

static ProcessUtility_hook_type previous_hook = NULL;

static DatabaseList held;		/* by this transaction */
static DatabaseList to_announce;	/* if this transaction commits */
static bool announce_all = false;

static void
list_add(DatabaseList *list, Oid database)
{
	int			i;

	for (i = 0; i < list->n; i++)
	{
		if (list->oids[i] == database)
			return;
	}
	if (list->n < MAX_NOTED)
		list->oids[list->n++] = database;
}

/* ---- sending workers away ---- */

/* Keep workers from the database until this transaction ends. */
static void
hold(Oid database)
{
	DatabaseSlot *db;
	int			before = held.n;

	list_add(&held, database);
	if (held.n == before)
		return;
	LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
	db = database_slot(database, true);
	if (db != NULL)
		db->holds++;
	else
		held.n = before;		/* no slot, so no workers either */
	LWLockRelease(worker_shared->lock);
}

static void
release_all(void)
{
	int			i;

	if (held.n == 0)
		return;
	LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
	for (i = 0; i < held.n; i++)
	{
		DatabaseSlot *db = database_slot(held.oids[i], false);

		if (db == NULL || db->holds == 0)
			continue;
		db->holds--;
		/* Is it still there? The launcher finds out when it starts a worker. */
		db->verdict = VERDICT_UNKNOWN;
	}
	held.n = 0;
	LWLockRelease(worker_shared->lock);
	launcher_wake();
}

/* Ask (or tell) the workers to go; false once there are none. */
static bool
send_away(Oid database, bool force)
{
	DatabaseSlot *db;
	bool		any = false;
	int			w;

	LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
	db = database_slot(database, false);
	for (w = 0; db != NULL && w < MAX_DATABASE_WORKERS; w++)
	{
		if (db->workers[w].state == WORKER_FREE)
			continue;
		any = true;
		worker_send_away(&db->workers[w], force);
	}
	LWLockRelease(worker_shared->lock);
	return any;
}

/*
 * Hold the database and wait until its workers are gone. Only for who could carry out
 * the command: others get their error without the workers noticing.
 */
static void
clear_database(const char *name)
{
	TimestampTz started = GetCurrentTimestamp();
	uint32		wait_event;
	Oid			database;
	bool		forced = false;

	database = get_database_oid(name, true);
	if (!OidIsValid(database) || !OE_OWNS_DATABASE(database, GetUserId()))
		return;
	wait_event = wait_event_named("OrderExtClearDatabase");
	hold(database);
	while (send_away(database, forced))
	{
		int64		waited = GetCurrentTimestamp() - started;

		if (waited > PATIENCE_US)
			break;				/* the command itself says who is in the way */
		forced = (waited > GRACE_US);
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
						 forced ? 100 : 10, wait_event);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
	}
}

/* ---- the hook ---- */

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

static void
before_command(Node *command)
{
	DefElem    *option;

	switch (nodeTag(command))
	{
		case T_DropdbStmt:
			clear_database(((DropdbStmt *) command)->dbname);
			break;
		case T_RenameStmt:
			if (((RenameStmt *) command)->renameType == OBJECT_DATABASE)
				clear_database(((RenameStmt *) command)->subname);
			break;
		case T_AlterDatabaseStmt:
			if (find_option(((AlterDatabaseStmt *) command)->options, "tablespace") != NULL)
				clear_database(((AlterDatabaseStmt *) command)->dbname);
			break;
		case T_CreatedbStmt:
			option = find_option(((CreatedbStmt *) command)->options, "template");
			if (option != NULL && option->arg != NULL)
				clear_database(defGetString(option));
			break;
		default:
			break;
	}
}

/* The database's settings or rules have changed: its workers shall start anew. */
static void
note_changed(const char *name)
{
	Oid			database = get_database_oid(name, true);

	if (OidIsValid(database))
		list_add(&to_announce, database);
}

static void
after_command(Node *command)
{
	switch (nodeTag(command))
	{
		case T_CreatedbStmt:
			/* A template may have had the extension; and the row has to be seen. */
			CommandCounterIncrement();
			note_changed(((CreatedbStmt *) command)->dbname);
			break;
		case T_AlterDatabaseStmt:
			note_changed(((AlterDatabaseStmt *) command)->dbname);
			break;
		case T_AlterDatabaseSetStmt:
			note_changed(((AlterDatabaseSetStmt *) command)->dbname);
			break;
		case T_AlterRoleSetStmt:
			if (((AlterRoleSetStmt *) command)->database != NULL)
				note_changed(((AlterRoleSetStmt *) command)->database);
			else
				announce_all = true;
			break;
		default:
			break;
	}
}

static void
process_utility(PlannedStmt *pstmt, const char *query_string, bool read_only_tree,
				ProcessUtilityContext context, ParamListInfo params,
				QueryEnvironment *query_env, DestReceiver *dest, QueryCompletion *qc)
{
	/* Standbys have no workers. */
	bool		concerned = (worker_shared != NULL && !RecoveryInProgress());

	if (concerned)
		before_command(pstmt->utilityStmt);
	if (previous_hook)
		previous_hook(pstmt, query_string, read_only_tree, context, params, query_env, dest, qc);
	else
		standard_ProcessUtility(pstmt, query_string, read_only_tree, context, params,
								query_env, dest, qc);
	if (concerned)
		after_command(pstmt->utilityStmt);
}

/* ---- at the end of the transaction ---- */

/* All databases with a slot; the others have nothing of ours. No palloc, no error. */
static void
announce_everywhere(void)
{
	int			d;

	for (d = 0; d < MAX_DATABASES; d++)
	{
		Oid			database = worker_shared->databases[d].database;

		if (OidIsValid(database))
			database_announce(database);
	}
}

static void
on_transaction_event(XactEvent event, void *arg)
{
	int			i;

	(void) arg;
	switch (event)
	{
		case XACT_EVENT_COMMIT:
			if (announce_all)
				announce_everywhere();
			for (i = 0; i < to_announce.n; i++)
				database_announce(to_announce.oids[i]);
			/* FALLTHROUGH */
		case XACT_EVENT_ABORT:
		case XACT_EVENT_PREPARE:
			announce_all = false;
			to_announce.n = 0;
			release_all();
			break;
		default:
			break;
	}
}

/* announce(): this database has the extension, or may have workers again, at commit. */
PG_FUNCTION_INFO_V1(order_ext_announce);
Datum
order_ext_announce(PG_FUNCTION_ARGS)
{
	(void) fcinfo;
	if (worker_shared != NULL)
		list_add(&to_announce, MyDatabaseId);
	PG_RETURN_VOID();
}

void
hooks_init(void)
{
	previous_hook = ProcessUtility_hook;
	ProcessUtility_hook = process_utility;
	RegisterXactCallback(on_transaction_event, NULL);
}

/*
 * hooks.c
 *		Commands that concern the workers.
 *
 * Commands that need exclusive use of a database get it without workers (holds.c). The launcher
 * is notified at commit of CREATE EXTENSION (by announce(), which its script calls),
 * enable_dispatch(), new databases and changes of settings (renewal.c). Only superusers may lock
 * the engine's tables against writers (table_locks.c), without the workers, too.
 */
#include "compat.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "commands/dbcommands.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "tcop/utility.h"
#include "utils/acl.h"

#include "worker/database_slots.h"
#include "worker/databases.h"
#include "worker/holds.h"
#include "worker/hooks.h"
#include "worker/renewal.h"
#include "worker/shmem.h"
#include "worker/table_locks.h"

static ProcessUtility_hook_type previous_hook = NULL;

/* What to do if this transaction commits. */
static DatabaseList to_announce;
static DatabaseList to_discover;	/* unless they are known already */

static Oid
find_database(const char *name)
{
	return name != NULL ? get_database_oid(name, true) : InvalidOid;
}

/* Workers may now be needed in it. */
static void
note_changed(const char *name)
{
	Oid			database = find_database(name);

	if (OidIsValid(database))
		databases_add(&to_discover, database);
}

/* Settings of a database (NULL: of all), of a role (NULL: of all). */
static void
note_settings(const char *database_name, const RoleSpec *role_spec)
{
	Oid			database = find_database(database_name);
	Oid			role = role_spec != NULL ? get_rolespec_oid(role_spec, true) : InvalidOid;

	if ((database_name != NULL && !OidIsValid(database)) ||
		(role_spec != NULL && !OidIsValid(role)))
		return;
	renewal_note(database, role);
}

/* Whether connections are allowed is checked when a worker is started. */
static void
note_rules(const AlterDatabaseStmt *alter)
{
	ListCell   *cell;

	foreach(cell, alter->options)
	{
		const char *name = lfirst_node(DefElem, cell)->defname;

		if (strcmp(name, "allow_connections") != 0 && strcmp(name, "is_template") != 0)
			continue;
		note_settings(alter->dbname, NULL);
		note_changed(alter->dbname);
	}
}

static void
after_command(Node *command)
{
	switch (nodeTag(command))
	{
		case T_CreatedbStmt:
			/* The template may have had the extension; and the row must be visible. */
			CommandCounterIncrement();
			note_changed(((CreatedbStmt *) command)->dbname);
			break;
		case T_AlterDatabaseStmt:
			note_rules((AlterDatabaseStmt *) command);
			break;
		case T_AlterDatabaseSetStmt:
			note_settings(((AlterDatabaseSetStmt *) command)->dbname, NULL);
			break;
		case T_AlterRoleSetStmt:
			note_settings(((AlterRoleSetStmt *) command)->database,
						  ((AlterRoleSetStmt *) command)->role);
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

	/* In a session that has loaded the library by itself, this is all. */
	if (IsA(pstmt->utilityStmt, LockStmt) && !RecoveryInProgress())
		table_locks_check((LockStmt *) pstmt->utilityStmt);
	if (concerned)
		holds_before(pstmt->utilityStmt,
					 IsInTransactionBlock(context == PROCESS_UTILITY_TOPLEVEL));
	if (previous_hook)
		previous_hook(pstmt, query_string, read_only_tree, context, params, query_env, dest, qc);
	else
		standard_ProcessUtility(pstmt, query_string, read_only_tree, context, params,
								query_env, dest, qc);
	if (concerned)
		after_command(pstmt->utilityStmt);
}

/* ---- at the end of the transaction ---- */

static void
on_transaction_event(XactEvent event, void *arg)
{
	int			i;

	(void) arg;
	switch (event)
	{
		case XACT_EVENT_COMMIT:
			for (i = 0; i < to_announce.n; i++)
				database_announce(to_announce.oids[i]);
			for (i = 0; i < to_discover.n; i++)
				database_discover(to_discover.oids[i]);
			renewal_commit();
			/* FALLTHROUGH */
		case XACT_EVENT_ABORT:
		case XACT_EVENT_PREPARE:
			to_announce.n = 0;
			to_discover.n = 0;
			renewal_forget();
			holds_release();
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
		databases_add(&to_announce, MyDatabaseId);
	PG_RETURN_VOID();
}

void
hooks_init(void)
{
	previous_hook = ProcessUtility_hook;
	ProcessUtility_hook = process_utility;
	RegisterXactCallback(on_transaction_event, NULL);
}

/*
 * table_locks.c
 *		LOCK TABLE on the engine's tables; see table_locks.h.
 */
#include "compat.h"

#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "rewrite/rewriteHandler.h"
#include "storage/lockdefs.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "core/error_facts.h"
#include "worker/table_locks.h"

static void check_relation(Oid relation);

/* As LOCK TABLE does it for views: everything in their queries is locked. */
static bool
check_query(Node *node, void *context)
{
	ListCell   *cell;

	if (node == NULL)
		return false;
	if (!IsA(node, Query))
		return expression_tree_walker(node, check_query, context);
	foreach(cell, ((Query *) node)->rtable)
	{
		RangeTblEntry *entry = lfirst_node(RangeTblEntry, cell);

		/* a view's query names the view itself, too */
		if (entry->rtekind == RTE_RELATION && entry->relid != *(Oid *) context)
			check_relation(entry->relid);
	}
	return query_tree_walker((Query *) node, check_query, context, 0);
}

static void
check_view(Oid view)
{
	Relation	rel = try_table_open(view, AccessShareLock);

	if (rel == NULL)
		return;
	check_query((Node *) get_view_query(rel), &view);
	table_close(rel, AccessShareLock);
}

static void
check_relation(Oid relation)
{
	Oid			schema = get_rel_namespace(relation);

	check_stack_depth();
	if (OidIsValid(schema) && schema == get_namespace_oid("order_ext_internal", true))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to lock table \"%s\"", get_rel_name(relation)),
				 error_facts("Only superusers may keep others from writing to order_ext's tables.",
							 FACT_TEXT("table", get_rel_name(relation))),
				 errhint("LOCK TABLE ... IN ACCESS SHARE MODE is allowed.")));
	if (get_rel_relkind(relation) == RELKIND_VIEW)
		check_view(relation);
}

void
table_locks_check(const LockStmt *lock)
{
	ListCell   *cell;

	if (lock->mode <= RowExclusiveLock || superuser())
		return;
	foreach(cell, lock->relations)
	{
		Oid			relation = RangeVarGetRelid(lfirst_node(RangeVar, cell), NoLock, true);

		if (OidIsValid(relation))
			check_relation(relation);
	}
}

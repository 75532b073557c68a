/*
 * constraints.c
 *		NOT NULL and CHECK constraints of our own tables; see constraints.h.
 */
#include "compat.h"

#include "access/htup_details.h"
#include "executor/executor.h"
#include "nodes/makefuncs.h"
#include "optimizer/optimizer.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "core/constraints.h"

/* The CHECK constraints of a table, ready to be evaluated. */
typedef struct Checks
{
	Oid			table;			/* the key */
	bool		valid;			/* false: the table has changed since */
	MemoryContext context;		/* of all of the below; NULL: none yet */
	ExprContext *econtext;
	ExprState **states;
	int			n;
} Checks;

static HTAB *all_checks = NULL;
static uint64 invalidations = 0;

/* A table has changed; InvalidOid: any of them may have. */
static void
on_invalidation(Datum arg, Oid table)
{
	HASH_SEQ_STATUS all;
	Checks	   *checks;

	invalidations++;
	if (OidIsValid(table))
	{
		checks = hash_search(all_checks, &table, HASH_FIND, NULL);
		if (checks != NULL)
			checks->valid = false;
		return;
	}
	hash_seq_init(&all, all_checks);
	while ((checks = hash_seq_search(&all)) != NULL)
		checks->valid = false;
}

static void
make_cache(void)
{
	HASHCTL		control = {.keysize = sizeof(Oid), .entrysize = sizeof(Checks)};

	all_checks = hash_create("order_ext constraints", 32, &control, HASH_ELEM | HASH_BLOBS);
	CacheRegisterRelcacheCallback(on_invalidation, (Datum) 0);
}

static void
prepare_checks(Checks *checks, TupleConstr *constr)
{
	uint64		before = invalidations;
	MemoryContext old;
	int			i;

	if (checks->context != NULL)
		MemoryContextDelete(checks->context);
	checks->context = NULL;
	checks->context = AllocSetContextCreate(TopMemoryContext, "order_ext constraints of a table",
											ALLOCSET_SMALL_SIZES);
	old = MemoryContextSwitchTo(checks->context);
	checks->econtext = CreateStandaloneExprContext();
	checks->states = palloc(sizeof(ExprState *) * constr->num_check);
	for (i = 0; i < constr->num_check; i++)
		checks->states[i] = ExecInitExpr(expression_planner(stringToNode(constr->check[i].ccbin)),
										 NULL);
	checks->n = constr->num_check;
	MemoryContextSwitchTo(old);
	checks->valid = (before == invalidations);
}

static Checks *
checks_of(Relation rel, TupleConstr *constr)
{
	Oid			table = RelationGetRelid(rel);
	Checks	   *checks;
	bool		found;

	if (all_checks == NULL)
		make_cache();
	checks = hash_search(all_checks, &table, HASH_ENTER, &found);
	if (!found)
	{
		checks->valid = false;
		checks->context = NULL;
	}
	if (!checks->valid)
		prepare_checks(checks, constr);
	return checks;
}

static bool
has_nulls_where_none_may_be(TupleDesc desc, TupleTableSlot *slot)
{
	int			i;

	slot_getallattrs(slot);
	for (i = 0; i < desc->natts; i++)
	{
		if (slot->tts_isnull[i] && TupleDescAttr(desc, i)->attnotnull)
			return true;
	}
	return false;
}

static bool
fails_a_check(Relation rel, TupleConstr *constr, TupleTableSlot *slot)
{
	Checks	   *checks = checks_of(rel, constr);
	bool		fails = false;
	int			i;

	checks->econtext->ecxt_scantuple = slot;
	for (i = 0; i < checks->n && !fails; i++)
		fails = !ExecCheck(checks->states[i], checks->econtext);
	checks->econtext->ecxt_scantuple = NULL;
	ResetExprContext(checks->econtext);
	return fails;
}

/* Have the executor find the violation once more, and report it. */
static void
report_violation(Relation rel, TupleTableSlot *slot)
{
	EState	   *estate = CreateExecutorState();
	ResultRelInfo *result_rel = makeNode(ResultRelInfo);

	InitResultRelInfo(result_rel, rel, 0, NULL, 0);
	ExecConstraints(result_rel, slot, estate);
	FreeExecutorState(estate);
}

void
constraints_check(Relation rel, TupleTableSlot *slot)
{
	TupleDesc	desc = RelationGetDescr(rel);
	TupleConstr *constr = desc->constr;

	if (constr == NULL)
		return;
	if ((constr->has_not_null && has_nulls_where_none_may_be(desc, slot)) ||
		(constr->num_check > 0 && fails_a_check(rel, constr, slot)))
		report_violation(rel, slot);
}

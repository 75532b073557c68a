/*
 * store.c
 *		Queries into tuplestores; see store.h.
 */
#include "compat.h"

#include "executor/spi.h"
#include "miscadmin.h"
#include "nodes/params.h"
#include "tcop/dest.h"
#include "utils/queryenvironment.h"

#include "api/verify/store.h"

/* What the executor gives rows to. */
typedef struct StoreReceiver
{
	DestReceiver base;
	Store	   *store;
	MemoryContext context;
} StoreReceiver;

static bool
receive_row(TupleTableSlot *slot, DestReceiver *self)
{
	Store	   *store = ((StoreReceiver *) self)->store;

	tuplestore_puttupleslot(store->rows, slot);
	store->n++;
	return true;
}

static void
receive_startup(DestReceiver *self, int operation, TupleDesc desc)
{
	StoreReceiver *receiver = (StoreReceiver *) self;
	MemoryContext old;

	if (receiver->store->desc != NULL)
		return;
	old = MemoryContextSwitchTo(receiver->context);
	receiver->store->desc = CreateTupleDescCopy(desc);
	MemoryContextSwitchTo(old);
}

static void
receive_nothing(DestReceiver *self)
{
}

void
store_query(const char *sql, const StoreArgs *args, Store *into)
{
	StoreReceiver receiver = {
		.base = {receive_row, receive_startup, receive_nothing, receive_nothing, DestTuplestore},
		.store = into,
		.context = CurrentMemoryContext
	};
	SPIExecuteOptions options = {.read_only = true, .dest = &receiver.base};
	int			i;

	if (args != NULL && args->n > 0)
	{
		options.params = makeParamList(args->n);
		for (i = 0; i < args->n; i++)
		{
			options.params->params[i].value = args->values[i];
			options.params->params[i].isnull = args->nulls[i];
			options.params->params[i].pflags = PARAM_FLAG_CONST;
			options.params->params[i].ptype = args->types[i];
		}
	}
	if (SPI_execute_extended(sql, &options) != SPI_OK_SELECT)
		elog(ERROR, "the check is not a SELECT");
	CHECK_FOR_INTERRUPTS();
}

void
store_columns(Store *store)
{
	store_query("SELECT ''::text AS invariant, ''::text AS severity, ''::text AS entity,"
				" ''::text AS expected, ''::text AS actual WHERE false", NULL, store);
}

void
store_register(const char *name, Store *store)
{
	EphemeralNamedRelation enr = palloc0(sizeof(EphemeralNamedRelationData));

	enr->md.name = pstrdup(name);
	enr->md.reliddesc = InvalidOid;
	enr->md.tupdesc = store->desc;
	enr->md.enrtype = ENR_NAMED_TUPLESTORE;
	enr->md.enrtuples = store->n;
	enr->reldata = store->rows;
	if (SPI_register_relation(enr) != SPI_OK_REL_REGISTER)
		elog(ERROR, "could not register \"%s\"", name);
}

Store *
store_table(const char *name, const char *sql, const StoreArgs *args)
{
	Store	   *store = palloc0(sizeof(Store));

	store->rows = tuplestore_begin_heap(true, false, work_mem);
	store_query(sql, args, store);
	store_register(name, store);
	return store;
}

void
store_end(Store *store)
{
	tuplestore_end(store->rows);
	pfree(store);
}

/*
 * spi_util.c
 *		Saved plans and typed access to their rows; see spi_util.h.
 */
#include "compat.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "fmgr.h"
#include "jit/jit.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "optimizer/cost.h"
#include "replication/logicalworker.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "core/error_facts.h"
#include "core/outdated.h"
#include "core/spi_util.h"

static int	engine_writing = 0;

/*
 * Our texts are constant, so what they name is missing only if the SQL objects are of another
 * version than the library.
 */
static void
rethrow_outdated(MemoryContext context)
{
	int			sqlstate = geterrcode();
	ErrorData  *error;

	if (sqlstate != ERRCODE_UNDEFINED_TABLE && sqlstate != ERRCODE_UNDEFINED_COLUMN &&
		sqlstate != ERRCODE_UNDEFINED_FUNCTION && sqlstate != ERRCODE_UNDEFINED_OBJECT &&
		sqlstate != ERRCODE_INVALID_COLUMN_REFERENCE)
		PG_RE_THROW();
	MemoryContextSwitchTo(context);
	error = CopyErrorData();
	FlushErrorState();
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("the SQL objects of order_ext are not of the version of its library"),
			 error_facts("The reason is: {reason}.", FACT_TEXT("reason", error->message)),
			 errhint("Run ALTER EXTENSION order_ext UPDATE, or install the matching library.")));
}

static SPIPlanPtr
prepare(const SavedPlan *plan, const char *sql)
{
	MemoryContext context = CurrentMemoryContext;
	SPIPlanPtr	prepared = NULL;

	PG_TRY();
	{
		prepared = SPI_prepare_cursor(sql, plan->nargs,
									  unconstify(Oid *, plan->argtypes),
									  CURSOR_OPT_GENERIC_PLAN);
	}
	PG_CATCH();
	{
		rethrow_outdated(context);
	}
	PG_END_TRY();
	return prepared;
}

static void
ensure_plan(SavedPlan *plan)
{
	SPIPlanPtr	prepared;
	char	   *old_text;

	if (plan->plan != NULL && !plan->outdated)
		return;
	if (plan->plan != NULL)
	{
		/* An update may have been made since, or a part of one. */
		SPI_freeplan(plan->plan);
		plan->plan = NULL;
	}
	old_text = outdated_text(plan->sql);
	prepared = prepare(plan, old_text != NULL ? old_text : plan->sql);
	if (prepared == NULL)
		elog(ERROR, "could not prepare \"%s\": %s",
			 plan->sql, SPI_result_code_string(SPI_result));
	SPI_keepplan(prepared);
	plan->plan = prepared;
	plan->outdated = (old_text != NULL);
}

/*
 * Plans are generic, avoid sequential scans, and join by index lookups only: a plan made while
 * the tables were empty must still be right after they have grown. Without bitmaps a table is
 * read by one index, where without statistics the planner likes to combine a selective one with
 * the whole of another; only a BRIN index needs them. If a scan cannot be avoided, its cost
 * penalty must not make JIT compilation look worthwhile.
 */
typedef struct PlannerSettings
{
	bool		seqscan;
	bool		bitmapscan;
	bool		hashjoin;
	bool		mergejoin;
	bool		jit;
} PlannerSettings;

static void
change_planner(const PlannerSettings *settings)
{
	enable_seqscan = settings->seqscan;
	enable_bitmapscan = settings->bitmapscan;
	enable_hashjoin = settings->hashjoin;
	enable_mergejoin = settings->mergejoin;
	jit_enabled = settings->jit;
}

/* Set what the plan needs, as above; returns what was set. */
static PlannerSettings
begin_planning(const SavedPlan *plan)
{
	PlannerSettings outer = {
		.seqscan = enable_seqscan,
		.bitmapscan = enable_bitmapscan,
		.hashjoin = enable_hashjoin,
		.mergejoin = enable_mergejoin,
		.jit = jit_enabled
	};
	PlannerSettings ours = {.bitmapscan = plan->by_bitmap};

	change_planner(&ours);
	return outer;
}

static uint64
run_plan(SavedPlan *plan, const Datum *values, const char *nulls,
		 bool read_only, bool writing, long max_rows)
{
	PlannerSettings outer;
	volatile int rc = 0;

	ensure_plan(plan);
	outer = begin_planning(plan);
	PG_TRY();
	{
		engine_writing += writing ? 1 : 0;
		rc = SPI_execute_plan(plan->plan, unconstify(Datum *, values), nulls,
							  read_only, max_rows);
	}
	PG_FINALLY();
	{
		change_planner(&outer);
		engine_writing -= writing ? 1 : 0;
	}
	PG_END_TRY();
	if (rc < 0)
		elog(ERROR, "could not execute \"%s\": %s",
			 plan->sql, SPI_result_code_string(rc));
	return SPI_processed;
}

uint64
plan_query(SavedPlan *plan, const Datum *values, const char *nulls, long max_rows)
{
	return run_plan(plan, values, nulls, false, false, max_rows);
}

uint64
plan_query_in_snapshot(SavedPlan *plan, const Datum *values, const char *nulls, long max_rows)
{
	return run_plan(plan, values, nulls, true, false, max_rows);
}

uint64
plan_write(SavedPlan *plan, const Datum *values, const char *nulls, long max_rows)
{
	return run_plan(plan, values, nulls, false, true, max_rows);
}

bool
plan_is_writing(void)
{
	return engine_writing > 0;
}

Portal
plan_open(SavedPlan *plan, const Datum *values, const char *nulls)
{
	PlannerSettings outer;
	Portal volatile portal = NULL;

	ensure_plan(plan);
	outer = begin_planning(plan);
	PG_TRY();
	{
		portal = SPI_cursor_open(NULL, plan->plan, unconstify(Datum *, values), nulls, false);
	}
	PG_FINALLY();
	{
		change_planner(&outer);
	}
	PG_END_TRY();
	return portal;
}

uint64
plan_fetch(Portal portal, long max_rows)
{
	SPI_cursor_fetch(portal, true, max_rows);
	return SPI_processed;
}

void
plan_close(Portal portal)
{
	SPI_cursor_close(portal);
}

void
plan_batch_begin(void)
{
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "could not connect to SPI");
}

void
plan_batch_end(void)
{
	SPI_finish();
}

/*
 * What superusers may do: restore rows, and change them if session_replication_role is replica.
 * The current user counts, not the session user: code that a superuser's session runs as another
 * role is not the superuser's.
 */
static bool
is_restore(TriggerEvent event)
{
	return superuser() && (TRIGGER_FIRED_BY_INSERT(event) ||
						   SessionReplicationRole == SESSION_REPLICATION_ROLE_REPLICA);
}

/*
 * Since version 16, logical replication writes as the table's owner. No one can log in as the
 * owner, but the subscription of another role could write as that role.
 */
static bool
is_replication(Relation rel)
{
	return IsLogicalWorker() && superuser_arg(GetSessionUserId()) &&
		GetUserId() == rel->rd_rel->relowner;
}

/*
 * Statement trigger on every table, enabled always: rejects changes that come neither from the
 * engine nor from a restore or from the publisher of a replica.
 */
PG_FUNCTION_INFO_V1(order_ext_guard);
Datum
order_ext_guard(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"order_ext_guard\" was not called by trigger manager")));
	if (engine_writing == 0 && !is_restore(trigger->tg_event) &&
		!is_replication(trigger->tg_relation))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("cannot change table \"%s\" directly",
						RelationGetRelationName(trigger->tg_relation)),
				 errhint("Use the functions in schema order_ext.")));
	return PointerGetDatum(NULL);
}

/* ---- rows ---- */

Datum
row_datum(uint64 row, int column, bool *isnull)
{
	Assert(row < SPI_processed);
	return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, isnull);
}

Datum
row_array(uint64 row, int column)
{
	bool		isnull;
	Datum		value = row_datum(row, column, &isnull);

	Assert(!isnull);
	return PointerGetDatum(PG_DETOAST_DATUM_COPY(value));
}

static Datum
row_datum_not_null(uint64 row, int column)
{
	bool		isnull;
	Datum		value = row_datum(row, column, &isnull);

	if (isnull)
		elog(ERROR, "unexpected NULL in column %d", column);
	return value;
}

bool
row_is_null(uint64 row, int column)
{
	bool		isnull;

	(void) row_datum(row, column, &isnull);
	return isnull;
}

int64
row_int64(uint64 row, int column)
{
	return DatumGetInt64(row_datum_not_null(row, column));
}

int64
row_int64_or(uint64 row, int column, int64 if_null)
{
	bool		isnull;
	Datum		value = row_datum(row, column, &isnull);

	return isnull ? if_null : DatumGetInt64(value);
}

int32
row_int32(uint64 row, int column)
{
	return DatumGetInt32(row_datum_not_null(row, column));
}

int16
row_int16(uint64 row, int column)
{
	return DatumGetInt16(row_datum_not_null(row, column));
}

bool
row_bool(uint64 row, int column)
{
	return DatumGetBool(row_datum_not_null(row, column));
}

TimestampTz
row_timestamptz(uint64 row, int column)
{
	return DatumGetTimestampTz(row_datum_not_null(row, column));
}

char *
row_text(uint64 row, int column)
{
	bool		isnull;
	Datum		value = row_datum(row, column, &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

Jsonb *
row_jsonb(uint64 row, int column)
{
	bool		isnull;
	Datum		value = row_datum(row, column, &isnull);

	return isnull ? NULL : DatumGetJsonbPCopy(value);
}

/* ---- array parameters ---- */

Datum
int64_array(const int64 *values, int n)
{
	Datum	   *datums = palloc(sizeof(Datum) * Max(n, 1));
	int			i;

	for (i = 0; i < n; i++)
		datums[i] = Int64GetDatum(values[i]);
	return PointerGetDatum(construct_array(datums, n, INT8OID, 8, FLOAT8PASSBYVAL,
										   TYPALIGN_DOUBLE));
}

Datum
int32_array(const int32 *values, int n)
{
	Datum	   *datums = palloc(sizeof(Datum) * Max(n, 1));
	int			i;

	for (i = 0; i < n; i++)
		datums[i] = Int32GetDatum(values[i]);
	return PointerGetDatum(construct_array(datums, n, INT4OID, 4, true, TYPALIGN_INT));
}

Datum
text_array(const char *const *values, int n)
{
	Datum	   *datums = palloc(sizeof(Datum) * Max(n, 1));
	int			i;

	for (i = 0; i < n; i++)
		datums[i] = CStringGetTextDatum(values[i]);
	return PointerGetDatum(construct_array(datums, n, TEXTOID, -1, false, TYPALIGN_INT));
}

int64 *
int64_fields(const int64 *first, Size stride, int n)
{
	int64	   *fields = palloc(sizeof(int64) * Max(n, 1));
	int			i;

	for (i = 0; i < n; i++)
		fields[i] = *(const int64 *) ((const char *) first + stride * i);
	return fields;
}

int32 *
int32_fields(const int32 *first, Size stride, int n)
{
	int32	   *fields = palloc(sizeof(int32) * Max(n, 1));
	int			i;

	for (i = 0; i < n; i++)
		fields[i] = *(const int32 *) ((const char *) first + stride * i);
	return fields;
}

/*
 * verify.c
 *		verify(): checks that the tables are consistent.
 *
 * The log segments and timer buckets are emptied by TRUNCATE, and small tables are rewritten; an
 * older snapshot would see them as empty. So they are locked first, and only then the one
 * snapshot is taken that all checks run under.
 */
#include "compat.h"

#include "access/xact.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"

#include "api/verify_queries.h"
#include "core/append.h"
#include "core/args.h"
#include "message/base/small_tables.h"
#include "message/log/segments.h"
#include "message/timer/buckets.h"

#define SCOPE_ALL "all"

/* Memory in kB for sorts and hashes of millions of rows during a call. */
#define VERIFY_WORK_MEM "65536"

static void
lock_rings(void)
{
	int			n;

	log_hold_segments();
	for (n = 0; n < TIMER_BUCKETS; n++)
		LockRelationOid(timer_bucket_relation(n), AccessShareLock);
	small_tables_hold();
}

static void
check_scope(const char *scope, const VerifyCheck *checks, int n)
{
	StringInfoData known;
	int			i;

	if (strcmp(scope, SCOPE_ALL) == 0)
		return;
	initStringInfo(&known);
	for (i = 0; i < n; i++)
	{
		if (strcmp(scope, checks[i].invariant) == 0)
			return;
		if (i == 0 || strcmp(checks[i].invariant, checks[i - 1].invariant) != 0)
			appendStringInfo(&known, ", %s", checks[i].invariant);
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid value for argument \"scope\": \"%s\"", scope),
			 errhint("Valid values are " SCOPE_ALL "%s.", known.data)));
}

static void
check_error_context(void *arg)
{
	const VerifyCheck *check = arg;

	errcontext("check of %s: %s", check->invariant, check->name);
}

static void
select_or_fail(const char *sql)
{
	if (SPI_execute(sql, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "the check is not a SELECT");
	CHECK_FOR_INTERRUPTS();
}

static const char object_version[] =
	"SELECT 1 FROM pg_extension WHERE extname = 'order_ext'"
	" AND extversion = '" ORDER_EXT_VERSION "'";

/* Whether the SQL objects are of the library's version. */
static bool
objects_are_current(void)
{
	select_or_fail(object_version);
	return SPI_processed == 1;
}

static bool
fingerprint_matches(const VerifyCheck *check)
{
	bool		matches = false;
	bool		isnull = true;

	if (check->fingerprint == NULL)
		return false;
	select_or_fail(check->fingerprint);
	if (SPI_processed == 1)
		matches = DatumGetBool(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc,
											 1, &isnull));
	SPI_freetuptable(SPI_tuptable);
	return matches && !isnull;
}

/* Add the findings of a check to the result. */
static void
put_rows(const VerifyCheck *check, ReturnSetInfo *rsinfo)
{
	uint64		i;

	for (i = 0; i < SPI_processed; i++)
	{
		Datum		values[5];
		bool		nulls[5] = {false};
		int			column;

		values[0] = CStringGetTextDatum(check->invariant);
		for (column = 1; column <= 4; column++)
			values[column] = SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc,
										   column, &nulls[column]);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	SPI_freetuptable(SPI_tuptable);
}

/* Run one check under the active snapshot. */
static void
run_check(const VerifyCheck *check, ReturnSetInfo *rsinfo)
{
	ErrorContextCallback callback;

	callback.callback = check_error_context;
	callback.arg = unconstify(VerifyCheck *, check);
	callback.previous = error_context_stack;
	error_context_stack = &callback;

	if (!fingerprint_matches(check))
	{
		select_or_fail(check->sql);
		put_rows(check, rsinfo);
	}

	error_context_stack = callback.previous;
}

/*
 * The same where SQL objects are of another version: what names something that is not there is
 * left out, and a warning tells of the version.
 */
static void
run_check_if_possible(const VerifyCheck *check, ReturnSetInfo *rsinfo)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ErrorContextCallback *contexts = error_context_stack;
	ErrorData  *volatile error = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		run_check(check, rsinfo);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	error_context_stack = contexts;
	if (error != NULL && error->sqlerrcode != ERRCODE_UNDEFINED_TABLE &&
		error->sqlerrcode != ERRCODE_UNDEFINED_COLUMN &&
		error->sqlerrcode != ERRCODE_UNDEFINED_FUNCTION)
		ReThrowError(error);
}

PG_FUNCTION_INFO_V1(order_ext_verify);
Datum
order_ext_verify(PG_FUNCTION_ARGS)
{
	char	   *scope = arg_text(fcinfo, 0, "scope", 64);
	const VerifyCheck *checks;
	int			n = verify_checks(&checks);
	bool		current;
	int			guc_level;
	int			i;

	check_scope(scope, checks, n);
	InitMaterializedSRF(fcinfo, 0);

	guc_level = NewGUCNestLevel();
	if (work_mem < atoi(VERIFY_WORK_MEM))
		(void) set_config_option("work_mem", VERIFY_WORK_MEM, PGC_USERSET, PGC_S_SESSION,
								 GUC_ACTION_SAVE, true, 0, false);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "could not connect to SPI");
	lock_rings();
	PushActiveSnapshot(GetLatestSnapshot());
	current = objects_are_current();
	for (i = 0; i < n; i++)
	{
		if (strcmp(scope, SCOPE_ALL) != 0 && strcmp(scope, checks[i].invariant) != 0)
			continue;
		if (current)
			run_check(&checks[i], (ReturnSetInfo *) fcinfo->resultinfo);
		else
			run_check_if_possible(&checks[i], (ReturnSetInfo *) fcinfo->resultinfo);
	}
	PopActiveSnapshot();
	SPI_finish();
	AtEOXact_GUC(true, guc_level);
	return (Datum) 0;
}

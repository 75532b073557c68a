/*
 * run.c
 *		Running the checks of verify(); see run.h.
 *
 * The log segments and timer buckets are emptied by TRUNCATE, and small tables are rewritten; an
 * older snapshot would see them as empty. So they are locked first, and only then the one
 * snapshot is taken that all checks run under.
 */
#include "compat.h"

#include "access/xact.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/lmgr.h"
#include "tcop/tcopprot.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"

#include "api/verify/messages.h"
#include "api/verify/queries.h"
#include "api/verify/run.h"
#include "api/verify/running.h"
#include "core/role.h"
#include "message/base/small_tables.h"
#include "message/log/segments.h"
#include "message/timer/buckets.h"

/* Memory in kB for sorts and hashes of millions of rows during a run. */
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
set_locally(const char *name, const char *value)
{
	(void) set_config_option(name, value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0,
							 false);
}

void
verify_run_begin(VerifyRun *run)
{
	run->mark = NULL;
	run->caller = InvalidOid;
	run->has_tables = false;
	memset(&run->sums, 0, sizeof(run->sums));
	run->guc_level = NewGUCNestLevel();
	if (work_mem < atoi(VERIFY_WORK_MEM))
		set_locally("work_mem", VERIFY_WORK_MEM);
	set_locally("jit", "off");
	lock_rings();
	PushActiveSnapshot(GetLatestSnapshot());
	if (SPI_execute(verify_versions, true, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not read the version");
	run->other_version = SPI_processed > 0;
	SPI_freetuptable(SPI_tuptable);
}

void
verify_run_prepare(VerifyRun *run, const VerifyMark *mark)
{
	run->mark = mark;
	if (mark == NULL)
		return;
	/* tables are large, and what is looked at is not, whatever the statistics say */
	set_locally("enable_seqscan", "off");
	recent_begin(mark);
	run->has_tables = true;
}

void
verify_run_join_at_once(void)
{
	set_locally("enable_nestloop", "off");
}

void
verify_run_end(VerifyRun *run)
{
	if (run->has_tables)
		recent_end();
	sums_end(&run->sums);
	PopActiveSnapshot();
	AtEOXact_GUC(true, run->guc_level);
	pgstat_report_activity(STATE_RUNNING, debug_query_string);
}

static void
check_error_context(void *arg)
{
	const VerifyCheck *check = arg;

	errcontext("check of %s: %s", check->invariant, check->name);
}

/* Shown in pg_stat_activity instead of the statement. */
static void
report_progress(const VerifyRun *run, const VerifyCheck *check, int place, int n)
{
	char		text[256];

	snprintf(text, sizeof(text), "order_ext.verify(%s): check %d of %d, %s: %s",
			 run->mark != NULL ? "recent" : "full", place, n, check->invariant, check->name);
	pgstat_report_activity(STATE_RUNNING, text);
}

/*
 * Sums are those of whole tables, and of the library's version. last: the check before, whose
 * fingerprint may be the same.
 */
static bool
fingerprint_matches(VerifyRun *run, const VerifyCheck *check, const VerifyCheck *last)
{
	static bool matches = false;
	bool		isnull = true;

	if (check->fingerprint == NULL ||
		((run->mark != NULL || run->other_version) && sums_named(check->fingerprint)))
		return false;
	if (last != NULL && last->fingerprint == check->fingerprint)
		return matches;
	matches = false;
	sums_make(&run->sums, check->fingerprint);
	if (SPI_execute(check->fingerprint, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "the fingerprint is not a SELECT");
	CHECK_FOR_INTERRUPTS();
	if (SPI_processed == 1)
		matches = DatumGetBool(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc,
											 1, &isnull)) && !isnull;
	SPI_freetuptable(SPI_tuptable);
	if (!matches)
		elog(DEBUG1, "check of %s: %s: rows are compared", check->invariant, check->name);
	return matches;
}

static void
run_check(VerifyRun *run, const VerifyCheck *check, const VerifyCheck *last, Store *into)
{
	ErrorContextCallback callback;
	StoreArgs	args;
	char	   *sql;

	callback.callback = check_error_context;
	callback.arg = unconstify(VerifyCheck *, check);
	callback.previous = error_context_stack;
	error_context_stack = &callback;

	if ((run->mark != NULL && recent_kind(check) != RECENT_SAME) ||
		!fingerprint_matches(run, check, last))
	{
		int			guc_level = NewGUCNestLevel();

		if (run->mark != NULL)
		{
			recent_args(run->mark, &args);
			if (recent_is_rewritten(check))
				verify_run_join_at_once();
		}
		else if (!run->other_version)
			sums_make(&run->sums, check->sql);
		sql = psprintf("SELECT %s::text AS invariant, found.* FROM (%s) AS found"
					   " (severity, entity, expected, actual)",
					   quote_literal_cstr(check->invariant),
					   run->mark != NULL ? recent_sql(check) : check->sql);
		store_query(sql, run->mark != NULL ? &args : NULL, into);
		pfree(sql);
		AtEOXact_GUC(true, guc_level);
	}

	error_context_stack = callback.previous;
}

/* As the caller, who may see more, and less, than the owner. */
static void
run_as_caller(VerifyRun *run, const VerifyCheck *check, Store *into)
{
	RoleScope	scope;

	if (!OidIsValid(run->caller))
		return;
	role_enter_restricted(&scope, run->caller);
	run_check(run, check, NULL, into);
	role_leave(&scope);
}

/* With the SQL objects of another version, checks of what is not there yet are left out. */
static void
run_if_there(VerifyRun *run, const VerifyCheck *check, const VerifyCheck *last, Store *into)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ErrorContextCallback *callbacks = error_context_stack;
	ErrorData  *volatile error = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		run_check(run, check, last, into);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		error_context_stack = callbacks;
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	if (error != NULL && error->sqlerrcode != ERRCODE_UNDEFINED_TABLE &&
		error->sqlerrcode != ERRCODE_UNDEFINED_COLUMN &&
		error->sqlerrcode != ERRCODE_UNDEFINED_FUNCTION)
		ReThrowError(error);
}

void
verify_run_checks(VerifyRun *run, const char *invariant, const VerifyFindings *findings)
{
	const VerifyCheck *checks;
	const VerifyCheck *last = NULL;
	int			n = verify_checks(&checks);
	int			i;

	for (i = 0; i < n; i++)
	{
		RecentKind	kind = recent_kind(&checks[i]);
		Store	   *into = kind == RECENT_SAME ? findings->repeated :
		kind == RECENT_ORDERS ? findings->of_orders : findings->others;

		if (invariant != NULL && strcmp(invariant, checks[i].invariant) != 0)
			continue;
		if (into == NULL || (run->mark != NULL && kind == RECENT_NONE))
			continue;
		report_progress(run, &checks[i], i + 1, n);
		if (checks[i].sql == verify_cron_runs)
			run_as_caller(run, &checks[i], into);
		else if (run->other_version)
		{
			if (run->mark == NULL)
				sums_make(&run->sums, checks[i].sql);
			run_if_there(run, &checks[i], last, into);
		}
		else
			run_check(run, &checks[i], last, into);
		last = &checks[i];
	}
}

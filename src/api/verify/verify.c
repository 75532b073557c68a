/*
 * verify.c
 *		verify(): checks that the tables are consistent.
 *
 * The full check (run.c) looks at every row; the recent one (recent.c) at those that
 * have been written since the last mark, which maintain() makes (marks.c).
 */
#include "compat.h"

#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"

#include "api/verify/marks.h"
#include "api/verify/queries.h"
#include "api/verify/run.h"
#include "core/args.h"
#include "core/error_facts.h"
#include "core/role.h"

#define SCOPE_RECENT "recent"
#define SCOPE_FULL "full"
#define SCOPE_ALL "all"			/* the same; its name until 0.5 */

static bool
scope_is_invariant(const char *scope)
{
	return strcmp(scope, SCOPE_RECENT) != 0 && strcmp(scope, SCOPE_FULL) != 0 &&
		strcmp(scope, SCOPE_ALL) != 0;
}

static void
check_scope(const char *scope)
{
	const VerifyCheck *checks;
	int			n = verify_checks(&checks);
	StringInfoData known;
	int			i;

	if (!scope_is_invariant(scope))
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
			 error_facts(NULL, FACT_TEXT("argument", "scope"), FACT_TEXT("value", scope)),
			 errhint("Valid values are " SCOPE_RECENT ", " SCOPE_FULL "%s.", known.data)));
}

PG_FUNCTION_INFO_V1(order_ext_verify);
Datum
order_ext_verify(PG_FUNCTION_ARGS)
{
	char	   *scope = arg_text(fcinfo, 0, "scope", 64);
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Store		found = {NULL};
	VerifyFindings findings = {&found, &found, &found};
	VerifyMark *mark = NULL;
	Oid			caller = GetUserId();
	RoleScope	owner;
	VerifyRun	run;

	check_scope(scope);
	InitMaterializedSRF(fcinfo, 0);
	found.rows = rsinfo->setResult;
	found.desc = rsinfo->setDesc;

	role_enter(&owner, role_of_owner());
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "could not connect to SPI");
	verify_run_begin(&run);
	run.caller = caller;
	if (strcmp(scope, SCOPE_RECENT) == 0)
		mark = marks_newest();
	verify_run_prepare(&run, mark);
	verify_run_checks(&run, scope_is_invariant(scope) ? scope : NULL, &findings);
	if (mark != NULL)
		marks_add_found(mark, &found);
	verify_run_end(&run);
	SPI_finish();
	role_leave(&owner);
	return (Datum) 0;
}

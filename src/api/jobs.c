/*
 * jobs.c
 *		schedule_jobs(), unschedule_jobs(): the jobs of pg_cron.
 *
 * They belong to the caller: functions of sql/parts/570_cron.sql register them in the caller's
 * name. That they are registered is noted, so that verify() can tell when they do not run.
 */
#include "compat.h"

#include "catalog/namespace.h"
#include "catalog/pg_proc.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/syscache.h"
#include "utils/varlena.h"

#include "core/call.h"
#include "core/error_facts.h"
#include "core/role.h"
#include "core/spi_util.h"

static SavedPlan note_jobs = SAVED_PLAN_NO_ARGS(
	"UPDATE order_ext_internal.instance SET jobs_since = clock_timestamp()");

static SavedPlan forget_jobs = SAVED_PLAN_NO_ARGS(
	"UPDATE order_ext_internal.instance SET jobs_since = NULL");

/* Run a function of order_ext_internal without arguments as the current role. */
static void
call_internal(const char *name)
{
	oidvector  *no_arguments = buildoidvector(NULL, 0);
	Oid			function = GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid,
										   CStringGetDatum(name), PointerGetDatum(no_arguments),
										   ObjectIdGetDatum(get_namespace_oid("order_ext_internal",
																			  false)));

	if (!OidIsValid(function))
		elog(ERROR, "there is no function order_ext_internal.%s()", name);
	(void) OidFunctionCall0(function);
}

static void
write_as_owner(SavedPlan *plan)
{
	RoleScope	scope;

	role_enter(&scope, role_of_owner());
	(void) plan_write(plan, NULL, NULL, 0);
	role_leave(&scope);
}

static bool
list_has(const char *setting, const char *const *wanted, int n)
{
	const char *value = GetConfigOption(setting, true, false);
	char	   *copy = pstrdup(value != NULL ? value : "");
	List	   *elements;
	ListCell   *cell;
	int			i;

	if (!SplitGUCList(copy, ',', &elements))
		return true;
	foreach(cell, elements)
	{
		for (i = 0; i < n; i++)
		{
			if (pg_strcasecmp((char *) lfirst(cell), wanted[i]) == 0)
				return true;
		}
	}
	return false;
}

/* Whether pg_cron, connecting as a client, finds nobody who listens there. */
static bool
is_unreachable(const char *host)
{
	static const char *const local[] =
	{"*", "0.0.0.0", "::", "localhost", "127.0.0.1", "::1"};
	const char *listen;

	if (host[0] == '/')
		return !list_has("unix_socket_directories", &host, 1);
	listen = GetConfigOption("listen_addresses", true, false);
	if (listen == NULL || listen[strspn(listen, " ")] == '\0')
		return host[0] != '\0';
	if (strcmp(host, "localhost") == 0 || strcmp(host, "127.0.0.1") == 0 ||
		strcmp(host, "::1") == 0)
		return !list_has("listen_addresses", local, lengthof(local));
	return false;
}

/* Only superusers may read these settings, and whoever schedules jobs depends on them. */
static void
warn_of_settings(void)
{
	const char *workers = GetConfigOption("cron.use_background_workers", true, false);
	const char *host = GetConfigOption("cron.host", true, false);

	if (workers == NULL || strcmp(workers, "off") != 0 || host == NULL || !is_unreachable(host))
		return;
	ereport(WARNING,
			(errmsg("pg_cron cannot run the jobs"),
			 error_facts("It connects to host \"{host}\", on which this server does not listen.",
						 FACT_TEXT("host", host)),
			 errhint("Set cron.use_background_workers = on, or cron.host to an element of "
					 "unix_socket_directories, and restart the server.")));
}

static Datum
schedule(FunctionCallInfo fcinfo)
{
	call_internal("register_jobs");
	write_as_owner(&note_jobs);
	warn_of_settings();
	PG_RETURN_VOID();
}

static Datum
unschedule(FunctionCallInfo fcinfo)
{
	call_internal("unregister_jobs");
	write_as_owner(&forget_jobs);
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(order_ext_schedule_jobs);
Datum
order_ext_schedule_jobs(PG_FUNCTION_ARGS)
{
	return api_call(fcinfo, schedule);
}

PG_FUNCTION_INFO_V1(order_ext_unschedule_jobs);
Datum
order_ext_unschedule_jobs(PG_FUNCTION_ARGS)
{
	return api_call(fcinfo, unschedule);
}

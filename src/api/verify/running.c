/*
 * running.c
 *		Checks of I15 about what should be running, and is not; see running.h.
 */
#include "compat.h"

#include "api/verify/running.h"

/*
 * A group that has made progress, or a timer that has fired, within the five minutes shows that
 * somebody dispatches, be it on the primary of this standby. External consumers are another
 * matter.
 */
const char	verify_nobody_dispatches[] =
	"WITH recently AS MATERIALIZED (SELECT clock_timestamp() - interval '5 minutes' AS at),"
	" due AS ("
	" SELECT b.oldest AS since FROM order_ext_internal.consumer_groups g, recently"
	"  CROSS JOIN LATERAL order_ext_internal.group_backlog(g.group_id, 1) b"
	"  WHERE (g.builtin OR g.handler IS NOT NULL) AND NOT g.paused AND b.oldest < recently.at"
	"   AND NOT EXISTS (SELECT FROM order_ext_internal.group_progress p"
	"    WHERE p.group_id = g.group_id AND p.at > recently.at)"
	" UNION ALL SELECT r.due_at FROM order_ext_internal.consumer_groups g, recently"
	"  CROSS JOIN LATERAL (SELECT r.due_at FROM order_ext_internal.retries r"
	"   WHERE r.group_id = g.group_id ORDER BY r.due_at LIMIT 1) r"
	"  WHERE (g.builtin OR g.handler IS NOT NULL) AND NOT g.paused AND r.due_at < recently.at"
	" UNION ALL SELECT t.due_at FROM order_ext_internal.pending_timers t, recently"
	"  WHERE t.due_at < recently.at AND NOT EXISTS (SELECT FROM order_ext_internal.timer_firings f"
	"   WHERE f.at > recently.at))"
	"SELECT 'warning', format('database %I', current_database()),"
	" 'a worker, or a dispatch() every five minutes, while something is due',"
	" format('neither, for %s', " AGE("min(due.since)") ")"
	" FROM due WHERE NOT EXISTS (SELECT FROM order_ext_internal.worker_list() w"
	"  WHERE w.kind = 'dispatcher' AND w.pid IS NOT NULL"
	"   AND w.database = (SELECT oid FROM pg_database WHERE datname = current_database()))"
	" HAVING count(*) > 0";

const char	verify_sweep_stopped[] =
	"SELECT 'warning', 'sweep',"
	" 'expire_orders() each minute, as schedule_jobs() has registered it',"
	" CASE WHEN s.swept_at IS NULL THEN 'none yet, for ' || " AGE("i.jobs_since")
	"  ELSE 'none for ' || " AGE("s.swept_at") " END"
	" FROM order_ext_internal.instance i"
	" LEFT JOIN (SELECT max(swept_at) AS swept_at"
	"  FROM order_ext_internal.sweep_progress) s ON true"
	" WHERE greatest(i.jobs_since, s.swept_at) < clock_timestamp() - interval '10 minutes'"
	"  AND i.jobs_since IS NOT NULL";

#define CRON_TABLE(name) \
	"EXISTS (SELECT FROM pg_extension e" \
	" JOIN pg_depend d ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid" \
	"  AND d.classid = 'pg_class'::regclass AND d.deptype = 'e'" \
	" JOIN pg_class c ON c.oid = d.objid AND c.relname = '" name "'" \
	" JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'cron'" \
	" WHERE e.extname = 'pg_cron' AND has_schema_privilege(n.oid, 'USAGE')" \
	"  AND has_table_privilege(c.oid, 'SELECT'))"

const char	verify_cron_unreadable[] =
	"SELECT NOT (" CRON_TABLE("job") " AND " CRON_TABLE("job_run_details") ")";

const char	verify_cron_runs[] =
	"SELECT 'warning', format('job %s of pg_cron', j.jobname), 'runs that succeed',"
	" format('failed %s ago: %s', " AGE("r.start_time") ", left(r.return_message, 500))"
	" FROM cron.job j"
	" CROSS JOIN LATERAL (SELECT r.* FROM cron.job_run_details r"
	"  WHERE r.jobid = j.jobid AND r.status IN ('succeeded', 'failed')"
	"  ORDER BY r.runid DESC LIMIT 1) r"
	" WHERE j.jobname IN ('order_ext sweep', 'order_ext maintenance')"
	"  AND j.database = current_database() AND r.status = 'failed'";

/*
 * walls.c
 *		Checks of the protection against other roles; see walls.h.
 *
 * Everyone may read the catalogs, so the owner's privileges suffice.
 */
#include "compat.h"

#include "access/transam.h"
#include "catalog/pg_authid.h"

#include "api/verify/walls.h"
#include "machine/sequences_in_use.h"

#define INTERNAL "'order_ext_internal'::regnamespace"
/* The schemas of tables; the second is not there before 0.7. */
#define TABLES INTERNAL ", coalesce(to_regnamespace('order_ext_archive'), " INTERNAL ")"
#define OWNER "'order_ext_owner'::regrole"

/*
 * Statement triggers BEFORE INSERT OR UPDATE OR DELETE (30) and BEFORE TRUNCATE (34). What
 * pg_restore --disable-triggers has been over is enabled, but not always.
 */
const char	verify_guards[] =
	"SELECT 'error', 'table ' || c.relname, format('trigger %s, enabled always', w.name),"
	" CASE WHEN t.oid IS NULL THEN 'there is none'"
	"  WHEN t.tgenabled <> 'A' THEN format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %s is missing',"
	"   c.oid::regclass, w.name)"
	"  ELSE 'another trigger of that name' END"
	" FROM pg_class c"
	" CROSS JOIN (VALUES ('guard_rows', 30), ('guard_truncate', 34)) AS w (name, type)"
	" LEFT JOIN pg_trigger t ON t.tgrelid = c.oid AND t.tgname = w.name"
	" WHERE c.relnamespace IN (" TABLES ") AND c.relkind IN ('r', 'p')"
	"  AND (t.oid IS NULL OR t.tgenabled <> 'A' OR t.tgtype <> w.type OR t.tgqual IS NOT NULL"
	"   OR t.tgfoid <> 'order_ext_internal.guard()'::regprocedure)";

/* Whatever would run, or be asked, when a row is written or read. */
const char	verify_hangers_on[] =
	"WITH own AS ("
	" SELECT c.oid, c.relname, c.relkind, c.relrowsecurity FROM pg_class c"
	" WHERE c.relnamespace IN (" TABLES ", 'order_ext'::regnamespace)"
	"  AND c.relkind IN ('r', 'p', 'v')),"
	" found AS ("
	" SELECT o.relname, 'trigger ' || t.tgname AS what FROM own o"
	"  JOIN pg_trigger t ON t.tgrelid = o.oid"
	"  WHERE NOT t.tgisinternal"
	"   AND t.tgname NOT IN ('guard_rows', 'guard_truncate', 'replace_instance',"
	"    'skip_known_stamp', 'find_role', 'stamp_ledger', 'skip_row')"
	" UNION ALL SELECT o.relname, 'rule ' || r.rulename FROM own o"
	"  JOIN pg_rewrite r ON r.ev_class = o.oid WHERE r.rulename <> '_RETURN'"
	" UNION ALL SELECT o.relname, format('child table %s', i.inhrelid::regclass) FROM own o"
	"  JOIN pg_inherits i ON i.inhparent = o.oid"
	" UNION ALL SELECT o.relname, format('foreign key %s of %s', f.conname, f.conrelid::regclass)"
	"  FROM own o JOIN pg_constraint f ON f.confrelid = o.oid"
	" UNION ALL SELECT o.relname, 'row security' FROM own o WHERE o.relrowsecurity)"
	"SELECT 'error', 'table ' || f.relname, 'only what order_ext has created', f.what"
	" FROM found f";

const char	verify_owner[] =
	"WITH found AS MATERIALIZED ("
	" SELECT concat_ws(', ', CASE WHEN r.rolcanlogin THEN 'LOGIN' END,"
	"  CASE WHEN r.rolsuper THEN 'SUPERUSER' END, CASE WHEN r.rolcreaterole THEN 'CREATEROLE' END,"
	"  CASE WHEN r.rolcreatedb THEN 'CREATEDB' END,"
	"  CASE WHEN r.rolreplication THEN 'REPLICATION' END,"
	"  CASE WHEN r.rolbypassrls THEN 'BYPASSRLS' END) AS what"
	"  FROM pg_roles r WHERE r.oid = " OWNER
	" UNION ALL SELECT format('role %s is a member of it', m.member::regrole)"
	"  FROM pg_auth_members m WHERE m.roleid = " OWNER
	" UNION ALL SELECT format('it is a member of role %s', m.roleid::regrole)"
	"  FROM pg_auth_members m WHERE m.member = " OWNER
	" UNION ALL SELECT format('%s belongs to role %s', c.oid::regclass, c.relowner::regrole)"
	"  FROM pg_class c WHERE c.relnamespace IN (" TABLES ", 'order_ext'::regnamespace)"
	"   AND c.relowner <> " OWNER
	" UNION ALL SELECT format('%s belongs to role %s', p.oid::regprocedure, p.proowner::regrole)"
	"  FROM pg_proc p WHERE p.pronamespace IN (" TABLES ", 'order_ext'::regnamespace)"
	"   AND p.proowner <> " OWNER ")"
	"SELECT 'error', 'role order_ext_owner',"
	" 'no attributes, no members, member of nothing, owner of everything', f.what"
	" FROM found f WHERE f.what <> ''";

const char	verify_table_rights[] =
	"SELECT 'error', 'table ' || c.relname, 'privileges of its owner only',"
	" format('%s may %s',"
	"  CASE a.grantee WHEN 0 THEN 'everyone' ELSE 'role ' || a.grantee::regrole END,"
	"  string_agg(a.privilege_type, ', ' ORDER BY a.privilege_type))"
	" FROM pg_class c"
	" CROSS JOIN LATERAL (SELECT * FROM aclexplode(c.relacl)"
	"  UNION ALL SELECT e.* FROM pg_attribute t, aclexplode(t.attacl) e"
	"   WHERE t.attrelid = c.oid AND t.attacl IS NOT NULL) a"
	" WHERE c.relnamespace IN (" TABLES ") AND c.relkind IN ('r', 'p', 'S')"
	"  AND a.grantee <> c.relowner"
	" GROUP BY c.relname, a.grantee";

/* A sequence that was set back gives out numbers again; one that was set far ahead, soon none. */
#define SEQUENCES(in_use) \
	"WITH s AS (" in_use ")" \
	"SELECT 'error', 'sequence ' || s.sequence, format('%s or more', greatest(s.newest, 1))," \
	" CASE WHEN s.newest > coalesce(v.last_value, 0)" \
	"  THEN format('%s: it was set back, and gives out numbers again that are in use'," \
	"   coalesce(v.last_value::text, 'nothing given out'))" \
	"  ELSE format('%s: it was set so far ahead that it runs out of numbers', v.last_value) END" \
	" FROM s CROSS JOIN LATERAL (" \
	"  SELECT pg_sequence_last_value(c.oid) AS last_value, q.seqmax" \
	"  FROM pg_class c JOIN pg_sequence q ON q.seqrelid = c.oid" \
	"  WHERE c.relnamespace = " INTERNAL " AND c.relname = s.sequence) v" \
	" WHERE s.newest > coalesce(v.last_value, 0) OR v.last_value > v.seqmax / 2"

const char	verify_sequences[] = SEQUENCES(ALL_SEQUENCES_IN_USE);

const char	verify_sequences_print[] =
	"SELECT NOT EXISTS ("
	SEQUENCES(ALL_SEQUENCES_BUT_MESSAGES("(SELECT max(newest) FROM messages_sums)")) ")";

/* Of the log, what is new since the mark. */
const char	verify_sequences_recent[] =
	SEQUENCES(SEQUENCES_IN_USE("(SELECT max(m.message_id) FROM order_ext_internal.topics t"
	"  JOIN order_ext_internal.message_log m ON m.topic_id = t.topic_id"
	"   AND m.xid >= pg_snapshot_xmin($2))"));

/*
 * The calls refuse such a role, and what is registered for it anyhow is not run. Role 10 is the
 * superuser that initdb made; what it made besides is predefined.
 */
const char	verify_registered_roles[] =
	"WITH registered AS ("
	" SELECT 'group ' || name AS entity, run_as_oid FROM order_ext_internal.consumer_groups"
	"  WHERE handler IS NOT NULL"
	" UNION ALL SELECT 'gateway ' || pay_type, run_as_oid FROM order_ext_internal.gateways"
	"  WHERE handler IS NOT NULL"
	" UNION ALL SELECT 'risk check', risk_role_oid FROM order_ext_internal.instance"
	"  WHERE risk_handler IS NOT NULL"
	" UNION ALL SELECT 'price hook', (to_jsonb(i) ->> 'price_role_oid')::oid"
	"  FROM order_ext_internal.instance i WHERE to_jsonb(i) ->> 'price_handler' IS NOT NULL)"
	"SELECT 'error', g.entity, 'a role of yours that runs it',"
	" format('role %I, which may not run functions: register it again for another role', r.rolname)"
	" FROM registered g JOIN pg_roles r ON r.oid = g.run_as_oid"
	" WHERE r.oid = " OWNER " OR (r.oid < " CppAsString2(FirstNormalObjectId)
	"  AND r.oid <> " CppAsString2(BOOTSTRAP_SUPERUSERID) ")";

/*
 * roles.c
 *		Checks of the roles that groups, gateways, the risk check and grants name; see
 *		roles.h.
 *
 * The owner's privileges suffice: pg_roles and has_database_privilege() are open to everyone.
 */
#include "compat.h"

#include "api/verify/roles.h"

/* The beginning of a sentence about a registered role that no longer exists. */
#define GONE(name) \
	"format(CASE WHEN EXISTS (SELECT FROM pg_roles s WHERE s.rolname = " name ")" \
	"  THEN 'the role that was registered is gone, and another one has its name: '" \
	"  ELSE 'there is no such role: ' END || "

const char	verify_roles[] =
	"SELECT 'warning', 'group ' || g.name,"
	" format(CASE WHEN g.handler IS NULL THEN 'members of role %I receive'"
	"  ELSE 'role %I runs its handler' END, coalesce(r.rolname, g.run_as)),"
	" CASE WHEN r.oid IS NULL THEN " GONE("g.run_as") "CASE WHEN g.adapted"
	"   THEN 'its messages wait until set_gateway() is called again'"
	"   ELSE 'its messages wait until subscribe() is called again' END)"
	"  WHEN r.rolsuper THEN 'the role is a superuser: its messages wait'"
	"  WHEN NOT r.rolcanlogin THEN 'the role may not log in: its messages wait'"
	"  ELSE 'the role may not connect to the database: its messages wait' END"
	" FROM order_ext_internal.consumer_groups g"
	" LEFT JOIN pg_roles r ON r.oid = g.run_as_oid"
	" WHERE NOT g.builtin AND NOT g.paused"
	"  AND (r.oid IS NULL OR (g.handler IS NOT NULL AND (r.rolsuper OR NOT r.rolcanlogin"
	"   OR NOT has_database_privilege(r.oid, current_database(), 'CONNECT'))))";

/*
 * SQL objects of an older version have no columns for the price hook, and a text that names them
 * could not be run.
 */
#define ASKED \
	"(SELECT 'risk check' AS entity, 'set_risk_check' AS setter, 'all orders are refused' AS so," \
	"  risk_handler AS handler, risk_role AS role, risk_role_oid AS role_oid," \
	"  risk_owner AS owner, risk_owner_oid AS owner_oid FROM order_ext_internal.instance" \
	" UNION ALL SELECT 'price hook', 'set_price', 'all orders are refused'," \
	"  j ->> 'price_handler', j ->> 'price_role', (j ->> 'price_role_oid')::oid," \
	"  j ->> 'price_owner', (j ->> 'price_owner_oid')::oid" \
	"  FROM (SELECT to_jsonb(i) AS j FROM order_ext_internal.instance i) s)"

const char	verify_guests[] =
	"SELECT 'warning', i.entity || ' ' || i.handler,"
	" format('role %I runs it', coalesce(r.rolname, i.role)),"
	" CASE WHEN r.oid IS NULL THEN " GONE("i.role")
	"   i.so || ' until ' || i.setter || '() is called again')"
	"  ELSE 'the role is a superuser: ' || i.so END"
	" FROM " ASKED " i"
	" LEFT JOIN pg_roles r ON r.oid = i.role_oid"
	" WHERE i.handler IS NOT NULL AND (r.oid IS NULL OR r.rolsuper)";

/* Until upkeep follows, a dump goes by names that are not those of the roles, but another's. */
const char	verify_role_names[] =
	"WITH named AS ("
	" SELECT 'group ' || name AS entity, run_as AS role, run_as_oid AS role_oid"
	"  FROM order_ext_internal.consumer_groups"
	" UNION ALL SELECT 'handler of group ' || name, handler_owner, handler_owner_oid"
	"  FROM order_ext_internal.consumer_groups"
	" UNION ALL SELECT entity, role, role_oid FROM " ASKED " a"
	" UNION ALL SELECT 'function of the ' || entity, owner, owner_oid FROM " ASKED " a"
	" UNION ALL SELECT format('topic %s, %s', t.name, g.privilege), g.role, g.role_oid"
	"  FROM order_ext_internal.topic_grants g JOIN order_ext_internal.topics t USING (topic_id))"
	"SELECT 'warning', n.entity,"
	" 'the name of its role today, ' || coalesce(r.rolname, '(dropped)'),"
	" format('%s: call maintain() before pg_dump, which goes by it', n.role)"
	" FROM named n LEFT JOIN pg_roles r ON r.oid = n.role_oid"
	" WHERE n.role_oid <> 0 AND r.rolname IS DISTINCT FROM n.role"
	"  AND (r.oid IS NOT NULL OR EXISTS (SELECT FROM pg_roles s WHERE s.rolname = n.role))";

const char	verify_topic_owners[] =
	"SELECT 'warning', 'topic ' || t.name, 'an owner',"
	" format('its owner was dropped: an operator gives it to a role with alter_topic(%L, %L)',"
	"  t.name, '{\"owner\": \"...\"}')"
	" FROM order_ext_internal.topics t"
	" WHERE NOT t.builtin AND NOT EXISTS (SELECT FROM order_ext_internal.topic_grants g"
	"  JOIN pg_roles r ON r.oid = g.role_oid"
	"  WHERE g.topic_id = t.topic_id AND g.privilege = 'owner')";

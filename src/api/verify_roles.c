/*
 * verify_roles.c
 *		Checks of the roles that groups, gateways, the risk check and grants name; see
 *		verify_roles.h.
 *
 * The owner's privileges suffice: pg_roles and has_database_privilege() are open to everyone.
 */
#include "compat.h"

#include "api/verify_roles.h"

/* The beginning of a sentence about a registered role that does not exist any more. */
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

const char	verify_risk_check[] =
	"SELECT 'warning', 'risk check ' || i.risk_handler,"
	" format('role %I runs it', coalesce(r.rolname, i.risk_role)),"
	" CASE WHEN r.oid IS NULL THEN " GONE("i.risk_role")
	"   'all orders are refused until set_risk_check() is called again')"
	"  ELSE 'the role is a superuser: all orders are refused' END"
	" FROM order_ext_internal.instance i"
	" LEFT JOIN pg_roles r ON r.oid = i.risk_role_oid"
	" WHERE i.risk_handler IS NOT NULL AND (r.oid IS NULL OR r.rolsuper)";

/* Until upkeep follows, a dump goes by names that are not those of the roles, but another's. */
const char	verify_role_names[] =
	"WITH named AS ("
	" SELECT 'group ' || name AS entity, run_as AS role, run_as_oid AS role_oid"
	"  FROM order_ext_internal.consumer_groups"
	" UNION ALL SELECT 'handler of group ' || name, handler_owner, handler_owner_oid"
	"  FROM order_ext_internal.consumer_groups"
	" UNION ALL SELECT 'risk check', risk_role, risk_role_oid FROM order_ext_internal.instance"
	" UNION ALL SELECT 'function of the risk check', risk_owner, risk_owner_oid"
	"  FROM order_ext_internal.instance"
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

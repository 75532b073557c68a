/*
 * follow_roles.c
 *		Renamed and dropped roles; see follow_roles.h.
 */
#include "compat.h"

#include "utils/lsyscache.h"

#include "core/internal.h"
#include "core/spi_util.h"
#include "message/base/catalog.h"
#include "message/upkeep/follow_roles.h"

static SavedPlan follow_grants = SAVED_PLAN_NO_ARGS(
	"WITH stale AS (DELETE FROM order_ext_internal.topic_grants g"
	"  WHERE NOT EXISTS (SELECT FROM pg_roles r WHERE r.oid = g.role_oid AND r.rolname = g.role)"
	"  RETURNING topic_id, privilege, role_oid)"
	" INSERT INTO order_ext_internal.topic_grants (topic_id, privilege, role, role_oid)"
	" SELECT s.topic_id, s.privilege, r.rolname, r.oid"
	" FROM stale s JOIN pg_roles r ON r.oid = s.role_oid"
	" ON CONFLICT DO NOTHING");

typedef struct BoundColumn
{
	const char *table;
	const char *oid_column;
	SavedPlan	follow;
} BoundColumn;

#define BOUND_COLUMN(table, key, column) \
	{table, column "_oid", SAVED_PLAN_NO_ARGS( \
		"UPDATE order_ext_internal." table " t" \
		" SET " column " = coalesce(r.rolname, t." column "), " column "_oid = coalesce(r.oid, 0)" \
		" FROM order_ext_internal." table " same" \
		" LEFT JOIN pg_roles r ON r.oid = same." column "_oid" \
		" WHERE same." key " = t." key " AND t." column "_oid <> 0" \
		"  AND r.rolname IS DISTINCT FROM t." column)}

static BoundColumn bound_columns[] = {
	BOUND_COLUMN("consumer_groups", "group_id", "run_as"),
	BOUND_COLUMN("consumer_groups", "group_id", "handler_owner"),
	BOUND_COLUMN("consumer_groups", "group_id", "subscriber"),
	BOUND_COLUMN("gateways", "pay_type", "run_as"),
	BOUND_COLUMN("instance", "singleton", "risk_role"),
	BOUND_COLUMN("instance", "singleton", "risk_owner"),
	BOUND_COLUMN("instance", "singleton", "price_role"),
	BOUND_COLUMN("instance", "singleton", "price_owner")
};

/* SQL objects of an older version have no such column. */
static void
follow_column(BoundColumn *column)
{
	Oid			relation = internal_relation_or_none(column->table);

	if (OidIsValid(relation) &&
		get_attnum(relation, column->oid_column) != InvalidAttrNumber &&
		plan_write(&column->follow, NULL, NULL, 0) > 0 &&
		strcmp(column->table, "consumer_groups") == 0)
		catalog_changed(column->table);
}

void
follow_roles(void)
{
	int			i;

	if (OidIsValid(internal_relation_or_none("topic_grants")))
		(void) plan_write(&follow_grants, NULL, NULL, 0);
	for (i = 0; i < (int) lengthof(bound_columns); i++)
		follow_column(&bound_columns[i]);
}

/*
 * roles.c
 *		Which roles the handlers of this database run as; see roles.h.
 *
 * The launcher is connected to no database and cannot know. So the dispatchers of the
 * bootstrap superuser, which every database with the extension has, look at the groups at
 * the start of their transactions, and tell it. A role that could not log in would only
 * fail: it is told of once, and waited for.
 */
#include "compat.h"

#include "catalog/pg_authid.h"
#include "commands/dbcommands.h"
#include "miscadmin.h"
#include "utils/acl.h"

#include "core/settings.h"
#include "message/base/catalog.h"
#include "message/base/rights.h"
#include "worker/roles.h"
#include "worker/shmem.h"

/* Roles that somebody was warned of. */
static Oid	warned[MAX_DATABASE_ROLES];
static int	n_warned = 0;

static bool
was_warned(Oid role, bool is_well)
{
	int			i;

	for (i = 0; i < n_warned; i++)
	{
		if (warned[i] != role)
			continue;
		if (is_well)
			warned[i] = warned[--n_warned];
		return true;
	}
	if (!is_well && n_warned < MAX_DATABASE_ROLES)
		warned[n_warned++] = role;
	return false;
}

static bool
role_can_work(Oid role)
{
	bool		can_login = role_can_login(role);
	bool		may_connect = superuser_arg(role) || may_connect_to(MyDatabaseId, role);

	if (was_warned(role, can_login && may_connect) || (can_login && may_connect))
		return can_login && may_connect;
	ereport(WARNING,
			(errmsg("handlers of order_ext that run as role \"%s\" wait in database \"%s\"",
					GetUserNameFromId(role, true), get_database_name(MyDatabaseId)),
			 errdetail("%s", can_login ? "The role may not connect to the database."
					   : "The role may not log in."),
			 errhint("%s", can_login ? "Grant it CONNECT." : "Give it LOGIN, or subscribe with another role.")));
	return false;
}

static void
add_role(RoleEntry *roles, int *n, Oid role)
{
	int			i;

	for (i = 0; i < *n; i++)
	{
		if (roles[i].role == role)
			return;
	}
	if (*n == MAX_DATABASE_ROLES || !role_can_work(role))
		return;
	memset(&roles[*n], 0, sizeof(RoleEntry));
	roles[*n].role = role;
	roles[*n].count = setting_workers;
	(*n)++;
}

void
roles_tell(void)
{
	RoleEntry	roles[MAX_DATABASE_ROLES];
	const ConsumerGroup *groups;
	int			n_groups = groups_list(&groups);
	int			n = 0;
	int			i;

	for (i = 0; i < n_groups; i++)
	{
		Oid			role;

		if (groups[i].run_as == NULL || group_is_external(&groups[i]))
			continue;
		role = get_role_oid(groups[i].run_as, true);
		if (OidIsValid(role) && role != BOOTSTRAP_SUPERUSERID)
			add_role(roles, &n, role);
	}
	roles_announce(roles, n, setting_workers);
}

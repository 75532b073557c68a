/*
 * roles.c
 *		Which roles the handlers of this database run as; see roles.h.
 *
 * The launcher is not connected to any database and cannot know this. So the dispatchers of the
 * bootstrap superuser, which every database with the extension has, check the groups at the start
 * of their transactions and notify it. A role that cannot log in would only fail: a warning is
 * logged once, and the role is retried later.
 */
#include "compat.h"

#include "catalog/pg_authid.h"
#include "commands/dbcommands.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/memutils.h"

#include "core/error_facts.h"
#include "core/settings.h"
#include "message/base/catalog.h"
#include "message/base/rights.h"
#include "message/base/wake.h"
#include "worker/role_entries.h"
#include "worker/roles.h"
#include "worker/shmem.h"

/* All roles for which a warning was logged. */
static List *warned = NIL;

/* Whether the role has just become unusable, or usable again. */
static bool
is_news(Oid role, bool is_well)
{
	MemoryContext old;

	if (list_member_oid(warned, role) != is_well)
		return false;
	old = MemoryContextSwitchTo(TopMemoryContext);
	warned = is_well ? list_delete_oid(warned, role) : lappend_oid(warned, role);
	MemoryContextSwitchTo(old);
	return true;
}

static bool
role_can_work(Oid role, bool has_place)
{
	char	   *refusal = rights_refusal_of_role(role);
	bool		can_login = rights_role_can_login(role);
	bool		may_connect = may_connect_to(MyDatabaseId, role);
	bool		is_well = refusal == NULL && can_login && may_connect && has_place;

	if (!is_news(role, is_well) || is_well)
		return is_well;
	ereport(WARNING,
			(errmsg("handlers of order_ext that run as role \"%s\" are waiting in database \"%s\"",
					GetUserNameFromId(role, true), get_database_name(MyDatabaseId)),
			 refusal != NULL ? error_facts("Handlers cannot run as it: {reason}.",
										   FACT_TEXT("reason", refusal))
			 : !can_login ? error_facts("The role is not permitted to log in.",
										FACT_TEXT("reason", "login"))
			 : !may_connect ? error_facts("The role is not permitted to connect to the database.",
										  FACT_TEXT("reason", "connect"))
			 : error_facts("Handlers of {max} other roles run there, which is the maximum.",
						   FACT_INT("max", MAX_DATABASE_ROLES)),
			 refusal != NULL ? errhint("Subscribe with another role.")
			 : !can_login ? errhint("Grant it LOGIN, or subscribe with another role.")
			 : !may_connect ? errhint("Grant it the CONNECT privilege.")
			 : errhint("Specify a role that already runs handlers there in option \"run_as\".")));
	return false;
}

/* The role's entry; NULL if it cannot work. */
static RoleEntry *
add_role(RoleEntry *roles, int *n, Oid role)
{
	int			i;

	for (i = 0; i < *n; i++)
	{
		if (roles[i].role == role)
			return &roles[i];
	}
	if (!role_can_work(role, *n < MAX_DATABASE_ROLES))
		return NULL;
	memset(&roles[*n], 0, sizeof(RoleEntry));
	roles[*n].role = role;
	roles[*n].count = setting_workers;
	return &roles[(*n)++];
}

void
roles_tell(void)
{
	RoleEntry	roles[MAX_DATABASE_ROLES];
	const ConsumerGroup *groups;
	int			n_groups = catalog_groups(&groups);
	int			n = 0;
	int			i;

	for (i = 0; i < n_groups; i++)
	{
		RoleEntry  *entry = NULL;
		Oid			role;

		if (catalog_group_is_external(&groups[i]))
			continue;
		role = bound_role(&groups[i].run_as);
		if (OidIsValid(role))
			entry = add_role(roles, &n, role);
		if (entry != NULL && !groups[i].paused)
			entry->interest |= WAKE_TOPIC_BIT(groups[i].topic_id);
	}
	roles_announce(roles, n, setting_workers);
}

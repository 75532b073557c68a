/*
 * role.c
 *		Switching to another role temporarily; see role.h.
 */
#include "compat.h"

#include "catalog/namespace.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/guc.h"

#include "core/role.h"
#include "core/settings.h"

static void
enter(RoleScope *scope, Oid role, int security_context)
{
	GetUserIdAndSecContext(&scope->user, &scope->security_context);
	scope->guc_level = NewGUCNestLevel();
	SetUserIdAndSecContext(role, scope->security_context | security_context);
	if (setting_operator != NULL && setting_operator[0] != '\0')
		(void) set_config_option("order_ext.operator", "", PGC_USERSET, PGC_S_SESSION,
								 GUC_ACTION_SAVE, true, 0, false);
}

void
role_enter(RoleScope *scope, Oid role)
{
	enter(scope, role, SECURITY_LOCAL_USERID_CHANGE);
}

void
role_enter_restricted(RoleScope *scope, Oid role)
{
	enter(scope, role, SECURITY_LOCAL_USERID_CHANGE | SECURITY_RESTRICTED_OPERATION);
}

void
role_leave(const RoleScope *scope)
{
	AtEOXact_GUC(false, scope->guc_level);
	SetUserIdAndSecContext(scope->user, scope->security_context);
}

/* In a worker it is set already, and setting it would have it looked up again. */
void
role_use_search_path(void)
{
	if (strcmp(namespace_search_path, ROLE_SEARCH_PATH) != 0)
		(void) set_config_option("search_path", ROLE_SEARCH_PATH,
								 PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

Oid
role_of_owner(void)
{
	return get_role_oid("order_ext_owner", false);
}

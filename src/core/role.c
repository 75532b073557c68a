/*
 * role.c
 *		Switching to another role temporarily; see role.h.
 */
#include "compat.h"

#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/guc.h"

#include "core/role.h"

void
role_enter(RoleScope *scope, Oid role, bool restricted)
{
	int			context;

	GetUserIdAndSecContext(&scope->user, &scope->security_context);
	context = scope->security_context | SECURITY_LOCAL_USERID_CHANGE;
	if (restricted)
		context |= SECURITY_RESTRICTED_OPERATION;
	scope->guc_level = NewGUCNestLevel();
	SetUserIdAndSecContext(role, context);
}

void
role_leave(const RoleScope *scope)
{
	AtEOXact_GUC(false, scope->guc_level);
	SetUserIdAndSecContext(scope->user, scope->security_context);
}

Oid
role_of_owner(void)
{
	return get_role_oid("order_ext_owner", false);
}

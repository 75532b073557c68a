/*
 * owner.c
 *		Working as order_ext_owner; see owner.h.
 */
#include "compat.h"

#include "miscadmin.h"
#include "utils/acl.h"

#include "core/owner.h"

Oid
owner_role(void)
{
	return get_role_oid("order_ext_owner", false);
}

void
owner_begin(OwnerSwitch *state)
{
	GetUserIdAndSecContext(&state->outer_user, &state->outer_context);
	SetUserIdAndSecContext(owner_role(), state->outer_context | SECURITY_LOCAL_USERID_CHANGE);
}

void
owner_end(const OwnerSwitch *state)
{
	SetUserIdAndSecContext(state->outer_user, state->outer_context);
}

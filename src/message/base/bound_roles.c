/*
 * bound_roles.c
 *		Roles that rows name, bound to their OIDs; see bound_roles.h.
 */
#include "compat.h"

#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/syscache.h"

#include "message/base/bound_roles.h"
#include "message/base/table_reader.h"

BoundRole
bound_role_read(const TableReader *reader, int name_column, int oid_column)
{
	BoundRole	role = {.name = table_reader_text(reader, name_column)};

	role.is_bound = !reader->nulls[oid_column];
	if (role.is_bound)
		role.oid = DatumGetObjectId(reader->values[oid_column]);
	return role;
}

Oid
bound_role(const BoundRole *role)
{
	if (role->name == NULL)
		return InvalidOid;
	if (!role->is_bound)
		return get_role_oid(role->name, true);
	return SearchSysCacheExists1(AUTHOID, ObjectIdGetDatum(role->oid)) ? role->oid : InvalidOid;
}

char *
bound_role_absence(const BoundRole *role)
{
	if (role->name == NULL)
		return "no role is registered";
	if (!OidIsValid(get_role_oid(role->name, true)))
		return psprintf("role \"%s\" does not exist", role->name);
	return psprintf("role \"%s\" is not the registered one, which no longer exists", role->name);
}

/*
 * bound_roles.h
 *		Roles that rows name, bound to their OIDs.
 *
 * A name is anybody's: once its role has been dropped or renamed, another one can take it. So the
 * OID of this cluster stands beside the name and is what counts: a renamed role keeps what it has,
 * and its namesake has nothing. The name is for dumps: a restore finds the OID by it
 * (345_find_role.sql).
 */
#ifndef ORDER_EXT_BOUND_ROLES_H
#define ORDER_EXT_BOUND_ROLES_H

#include "postgres.h"

struct TableReader;

typedef struct BoundRole
{
	char	   *name;			/* as follow_roles() last saw it; NULL: no role */
	Oid			oid;			/* InvalidOid: dropped, or not there when it was restored */
	bool		is_bound;		/* false: of an older version's table, and the name counts */
} BoundRole;

/* Read one from these columns, in CurrentMemoryContext. */
extern BoundRole bound_role_read(const struct TableReader *reader, int name_column, int oid_column);

/* The role; InvalidOid if there is none, or it no longer exists. */
extern Oid	bound_role(const BoundRole *role);

/* Why bound_role() finds none, a clause without a full stop. */
extern char *bound_role_absence(const BoundRole *role);

#endif							/* ORDER_EXT_BOUND_ROLES_H */

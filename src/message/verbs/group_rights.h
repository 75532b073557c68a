/*
 * group_rights.h
 *		Who may change which consumer group.
 */
#ifndef ORDER_EXT_GROUP_RIGHTS_H
#define ORDER_EXT_GROUP_RIGHTS_H

#include "postgres.h"

/* Raise 42501 if the name is that of a built-in group or of a gateway's. */
extern void group_rights_refuse_builtin(const char *name);

/*
 * Raise 42501 unless the role may change the group that is there: a privilege on the topic is none
 * on the groups of others that read it.
 */
extern void group_rights_require(Oid role, int32 group_id, const char *group);

#endif							/* ORDER_EXT_GROUP_RIGHTS_H */

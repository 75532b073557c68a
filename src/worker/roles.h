/*
 * roles.h
 *		Which roles the handlers of this database run as.
 */
#ifndef ORDER_EXT_ROLES_H
#define ORDER_EXT_ROLES_H

#include "postgres.h"

/*
 * Notify the launcher, if that has changed, which roles need dispatchers and how many. In a
 * transaction.
 */
extern void roles_tell(void);

#endif							/* ORDER_EXT_ROLES_H */

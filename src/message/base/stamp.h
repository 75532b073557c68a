/*
 * stamp.h
 *		The stamp of a database: whether dispatch is enabled in it.
 */
#ifndef ORDER_EXT_STAMP_H
#define ORDER_EXT_STAMP_H

#include "postgres.h"

typedef enum StampState
{
	STAMP_OWN,					/* dispatch is enabled here */
	STAMP_MISSING,				/* nowhere */
	STAMP_FOREIGN,				/* enabled in another database, or also in another one */
	STAMP_COPIED				/* enabled in this database, but on another node */
} StampState;

/*
 * Read the table database_stamp, of the given oid, under the newest snapshot. *node becomes the
 * node of the database's own stamp, if it has one; see core/node.h.
 */
extern StampState stamp_read(Oid database_stamp, int64 *node);

/* Why dispatch is not enabled, as a sentence; NULL if it is. */
extern const char *stamp_reason(StampState state);

#endif							/* ORDER_EXT_STAMP_H */

/*
 * enable.h
 *		The stamp of the database: whether dispatch is enabled in it, and on which node.
 */
#ifndef ORDER_EXT_ENABLE_H
#define ORDER_EXT_ENABLE_H

#include "postgres.h"

/* In the scheduler: bind the database's own stamp to this node if it is not bound yet. */
extern void enable_bind_stamp(void);

/* In a worker's transaction: detach the stamp that names the given node from any node. */
extern void enable_disown_stamp(int64 node);

/* Raise 55000 if nothing may be delivered: see catalog_stamp_is_own() in base/catalog.h. */
extern void enable_check_stamp(void);

#endif							/* ORDER_EXT_ENABLE_H */

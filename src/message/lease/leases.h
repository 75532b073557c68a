/*
 * leases.h
 *		External consumers: messages leased to them for a time.
 *
 * A lease is a row with a copy of the message. Its token is unique and increases with each
 * delivery of a message, so that a late answer is recognized by its token (a fence). No one
 * waits: receive() takes the group's cursor if it is free, and skips rows that are locked.
 *
 * The end of a lease is not stored in it, since it counts from a commit that is yet to come: the
 * lease names a receipt, and that row is written last before the commit.
 */
#ifndef ORDER_EXT_LEASES_H
#define ORDER_EXT_LEASES_H

#include "postgres.h"

#include "message/base/catalog.h"

/*
 * A copy of the named group; raises OE701 if it does not exist, 55000 if it has a handler, 42501
 * if the current user is not a member of its role.
 */
extern ConsumerGroup *leases_open_group(const char *name);

/*
 * The group is given a handler: messages held by external consumers become due when their leases
 * end.
 */
extern void leases_to_retries(int32 group_id);

#endif							/* ORDER_EXT_LEASES_H */

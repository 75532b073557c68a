/*
 * leases.h
 *		External consumers: messages that somebody outside holds for a time.
 *
 * A lease is a row with a copy of the message. Its token is unique and grows from delivery
 * to delivery of a message, so that an answer that comes too late is told by its token (a
 * fence). Nobody waits: whoever receives takes the group's cursor if it is free, and of
 * other rows those that nobody has locked.
 *
 * When a lease ends is not written on it, since it counts from a commit that is yet to
 * come: it names a receipt, and that row is written as the last thing before the commit.
 */
#ifndef ORDER_EXT_LEASES_H
#define ORDER_EXT_LEASES_H

#include "postgres.h"

#include "message/base/catalog.h"

/*
 * The group of that name, copied; raises OE701 if there is none, 55000 if it has a handler,
 * 42501 if the current user is no member of its role.
 */
extern ConsumerGroup *leases_open_group(const char *name);

/* The group gets a handler: what external consumers hold becomes due at the leases' ends. */
extern void leases_to_retries(int32 group_id);

#endif							/* ORDER_EXT_LEASES_H */

/*
 * follow_roles.h
 *		Renamed and dropped roles in the tables that name roles (message/base/bound_roles.h).
 */
#ifndef ORDER_EXT_FOLLOW_ROLES_H
#define ORDER_EXT_FOLLOW_ROLES_H

/*
 * Write the new names of renamed ones, and that dropped ones are gone: no OID any more, and no
 * rows of topic_grants. SPI must be connected, as the owner.
 */
extern void follow_roles(void);

#endif							/* ORDER_EXT_FOLLOW_ROLES_H */

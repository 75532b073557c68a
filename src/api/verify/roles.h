/*
 * roles.h
 *		Checks of verify(): the roles that groups, gateways, the risk check and grants name.
 */
#ifndef ORDER_EXT_VERIFY_ROLES_H
#define ORDER_EXT_VERIFY_ROLES_H

extern const char verify_roles[];
extern const char verify_guests[];
extern const char verify_role_names[];
extern const char verify_topic_owners[];

#endif							/* ORDER_EXT_VERIFY_ROLES_H */

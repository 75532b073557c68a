/*
 * rights.h
 *		Which function may run as which role: checked when it is registered and again whenever it
 *		is about to run.
 */
#ifndef ORDER_EXT_RIGHTS_H
#define ORDER_EXT_RIGHTS_H

#include "postgres.h"

/*
 * The function with this signature, as stored in consumer_groups.handler; InvalidOid if
 * there is none. rights_function_signature() makes the signature.
 */
extern Oid	rights_function_by_signature(const char *signature);
extern char *rights_function_signature(Oid function);

/*
 * The role that a function is to run as: the named one, or the caller if name is NULL. Raises
 * 42704 if it does not exist, and 42501 unless the caller is a member of it and, if must_login is
 * set, it has LOGIN.
 */
extern Oid	rights_role_to_run_as(const char *name, Oid caller, bool must_login);

extern bool rights_role_can_login(Oid role);

/* Whether the named role is a superuser; NULL (a subscriber of an earlier version) is. */
extern bool rights_is_superuser(const char *name);

/*
 * Why the function must not run as the role, given whether a superuser registered it; NULL if it
 * may. A superuser's session runs only functions that superusers own and have registered; only
 * superusers can register a function that makes its caller a superuser; nothing runs as one of
 * the server's predefined roles or as the owner of order_ext; and the role must have EXECUTE on
 * it.
 */
extern char *rights_refusal_to_run(Oid function, Oid role, bool registered_by_superuser);

/*
 * The name of its owner, "" if the function does not exist; stored when the function is
 * registered.
 */
extern char *rights_function_owner(Oid function);

/*
 * A registered function is found by its name, which may later be another function's. So it runs
 * only while it belongs to the role that owned it at registration, to the role it runs as, or to
 * a superuser, who could do the same anyway. NULL if so (or if owner is NULL: not known),
 * otherwise why not.
 */
extern char *rights_refusal_of_owner(Oid function, const char *owner, Oid role);

#endif							/* ORDER_EXT_RIGHTS_H */

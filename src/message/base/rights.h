/*
 * rights.h
 *		Which function may run as which role: asked when it is registered, and again
 *		whenever it is about to run.
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
 * The role that a function is to run as: the one of that name, or the caller where it is
 * NULL. Raises 42704, or 42501 unless the caller is a member of it and, if must_login is
 * set, it has LOGIN.
 */
extern Oid	rights_role_to_run_as(const char *name, Oid caller, bool must_login);

extern bool rights_role_can_login(Oid role);

/* Whether the role of that name is a superuser; NULL (the subscriber of old) is. */
extern bool rights_is_superuser(const char *name);

/*
 * Why the function must not run as the role, registered by a superuser or by somebody
 * else; NULL if it may. A superuser's session runs nothing that anybody but superusers
 * wrote or registered; nobody but superusers registers a function that turns its caller
 * into one; nothing runs as a predefined role of the server's or as the owner of order_ext; and
 * the role must be allowed to execute it.
 */
extern char *rights_refusal_to_run(Oid function, Oid role, bool registered_by_superuser);

/* The name of its owner, "" if the function does not exist: to be kept with what registers it. */
extern char *rights_function_owner(Oid function);

/*
 * A registered function is found by its name, which may become another function's. So it is
 * run only while it belongs to the role that owned it then, to the role it runs as, or to a
 * superuser: somebody who could have it do the same anyway. NULL if so (owner is NULL: not
 * known), else why not.
 */
extern char *rights_refusal_of_owner(Oid function, const char *owner, Oid role);

#endif							/* ORDER_EXT_RIGHTS_H */

/*
 * rights.h
 *		Which function may run as which role: checked when it is registered and again whenever it
 *		is about to run.
 */
#ifndef ORDER_EXT_RIGHTS_H
#define ORDER_EXT_RIGHTS_H

#include "postgres.h"

#include "fmgr.h"

#include "message/base/bound_roles.h"

/*
 * The function of one argument with this signature, as stored in consumer_groups.handler;
 * InvalidOid if there is none. rights_function_signature() makes the signature.
 */
extern Oid	rights_function_by_signature(const char *signature);
extern char *rights_function_signature(Oid function);

/* Raise 42883 with this hint unless the function, of argument "handler", exists. */
extern void rights_check_exists(Oid function, const char *hint);

/*
 * The role that a function is to run as: the named one, or the caller if name is NULL. Raises
 * 42704 if it does not exist, and 42501 unless the caller is a member of it.
 */
extern Oid	rights_role_to_run_as(const char *name, Oid caller);

/* The same for an argument "run_as" of type regrole. */
extern Oid	rights_arg_run_as(FunctionCallInfo fcinfo, int n);

/* Raise 42501 unless it has LOGIN, or no function could run as it anyway. */
extern void rights_check_login(Oid role);

extern bool rights_role_can_login(Oid role);

/*
 * Why no function of an application can run as the role; NULL if some can. Functions use objects
 * that others own and can change, so none runs as a superuser, as one of the server's predefined
 * roles, or as the owner of order_ext.
 */
extern char *rights_refusal_of_role(Oid role);

/* Whether functions that are registered for the one role can run as this one. */
extern bool rights_runs_as(const BoundRole *run_as, Oid role);

/*
 * Why the function must not run as the role; NULL if it may: functions can run as the role, this
 * one is no superuser's SECURITY DEFINER function, and the role has EXECUTE on it.
 */
extern char *rights_refusal_to_run(Oid function, Oid role);

/*
 * The same when it is registered: raises 42501. what: "handler", or what else it is. The HINT gives
 * the statement to use instead (call), which names the example role: one that the caller can have
 * functions run as, once it is created if it does not exist.
 */
extern void rights_check_to_run(const char *what, Oid function, Oid role,
								const char *example_role, const char *call);
extern char *rights_example_role(Oid caller);

/* Its owner, InvalidOid if the function does not exist; stored when the function is registered. */
extern Oid	rights_function_owner(Oid function);

/*
 * A registered function is found by its name, which may later be another function's. So it runs
 * only while it belongs to the role that owned it at registration, to the role it runs as, or to
 * a superuser, who could do the same anyway. NULL if so (or if the owner is not known), otherwise
 * why not.
 */
extern char *rights_refusal_of_owner(Oid function, const BoundRole *owner, Oid role);

#endif							/* ORDER_EXT_RIGHTS_H */

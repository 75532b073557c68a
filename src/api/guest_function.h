/*
 * guest_function.h
 *		Functions of the application that the engine asks while it creates an order: the risk check
 *		and the price hook.
 *
 * Such a function runs as the role that it was set for, in a security-restricted operation: it
 * cannot switch to another role, queue deferred triggers or leave temporary objects behind.
 */
#ifndef ORDER_EXT_GUEST_FUNCTION_H
#define ORDER_EXT_GUEST_FUNCTION_H

#include "postgres.h"

#include "fmgr.h"
#include "utils/jsonb.h"

#include "core/spi_util.h"
#include "message/base/bound_roles.h"

/* What is set in the table instance, and by which call. */
typedef struct GuestKind
{
	const char *what;			/* "risk check", for messages */
	const char *setter;			/* "set_risk_check" */
	const char *answer;			/* name of the type that it returns */
	Oid			answer_type;
	int			handler_column; /* of instance, */
	int			role_column;	/* where role, owner and their OIDs stand one after the other */
	SavedPlan  *write;			/* handler, role, owner, and their OIDs */
} GuestKind;

typedef struct GuestFunction
{
	const GuestKind *kind;
	char	   *handler;		/* NULL: none is set */
	BoundRole	role;			/* it runs as this one */
	BoundRole	owner;			/* of the function when it was set */
} GuestFunction;

/* What is set of n kinds, each of which its function names. */
extern void guest_functions_read(GuestFunction *functions, int n);

/*
 * Call it; false if it answers NULL, otherwise its answer. Raises what the function raises, 42704
 * or 42883 if its role or the function is gone, 42501 if it must not run; 57014 if it took longer
 * than order_ext.handler_timeout. *took_too_long is true then, and if it answered too late.
 */
extern bool guest_function_call(const GuestFunction *function, Jsonb *request, Datum *answer,
								bool *took_too_long);

/* The body of the call that sets it: (handler regprocedure, run_as regrole). */
extern Datum guest_function_set(FunctionCallInfo fcinfo, const GuestKind *kind);

#endif							/* ORDER_EXT_GUEST_FUNCTION_H */

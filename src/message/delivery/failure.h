/*
 * failure.h
 *		Why an attempt at a message failed.
 */
#ifndef ORDER_EXT_FAILURE_H
#define ORDER_EXT_FAILURE_H

#include "postgres.h"

/* Why an attempt failed. detail may be NULL. */
typedef struct Failure
{
	int			sqlstate;		/* as in ErrorData; 0 = none */
	char	   *message;
	char	   *detail;
} Failure;

/*
 * Returns the last error as a Failure in CurrentMemoryContext, which must not be ErrorContext,
 * and clears it. In dispatch(), a cancel of the call itself is rethrown.
 */
extern Failure *failure_from_error(bool in_dispatch);

/* Whether it is a deadlock or a serialization failure, to be retried at once. */
extern bool failure_is_conflict(const Failure *failure);

#endif							/* ORDER_EXT_FAILURE_H */

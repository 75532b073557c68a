/*
 * verify_queries.h
 *		The checks of verify().
 */
#ifndef ORDER_EXT_VERIFY_QUERIES_H
#define ORDER_EXT_VERIFY_QUERIES_H

#include "api/verify_check.h"

/* All checks, ordered by invariant; returns their number. */
extern int	verify_checks(const VerifyCheck **checks);

#endif							/* ORDER_EXT_VERIFY_QUERIES_H */

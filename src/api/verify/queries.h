/*
 * queries.h
 *		The checks of verify().
 */
#ifndef ORDER_EXT_VERIFY_QUERIES_H
#define ORDER_EXT_VERIFY_QUERIES_H

#include "api/verify/check.h"

/* Variants of checks for the recent check: see recent.h. */
extern const char verify_timers_armed_recent[];
extern const char verify_overdue_recent[];
extern const char verify_requests_recent[];

/* All checks, ordered by invariant; returns their number. */
extern int	verify_checks(const VerifyCheck **checks);

#endif							/* ORDER_EXT_VERIFY_QUERIES_H */

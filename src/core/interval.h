/*
 * interval.h
 *		Intervals as lengths of time, independent of the calendar.
 */
#ifndef ORDER_EXT_INTERVAL_H
#define ORDER_EXT_INTERVAL_H

#include "postgres.h"

#include "utils/timestamp.h"

/* The length in microseconds, with days of 24 hours and months of 30 days. */
extern double interval_usecs(const Interval *interval);

/* The length of an interval given as text; false if it is not a valid interval. */
extern bool interval_read(const char *text, double *usecs);

/* The interval as PostgreSQL shows it. */
extern char *interval_shown(Interval *interval);

#endif							/* ORDER_EXT_INTERVAL_H */

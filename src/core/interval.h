/*
 * interval.h
 *		Intervals as lengths of time, where the calendar does not matter.
 */
#ifndef ORDER_EXT_INTERVAL_H
#define ORDER_EXT_INTERVAL_H

#include "postgres.h"

#include "utils/timestamp.h"

/* The length in microseconds, with days of 24 hours and months of 30 days. */
extern double interval_usecs(const Interval *interval);

/* The length of an interval written as text; false if it is none. */
extern bool interval_read(const char *text, double *usecs);

#endif							/* ORDER_EXT_INTERVAL_H */

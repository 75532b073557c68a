/*
 * running.h
 *		The checks of verify() about what should be running, and is not.
 */
#ifndef ORDER_EXT_VERIFY_RUNNING_H
#define ORDER_EXT_VERIFY_RUNNING_H

#include "api/verify/check.h"

extern const char verify_nobody_dispatches[];
extern const char verify_sweep_stopped[];

/*
 * What pg_cron says of its runs of our jobs. Its tables show each role its own jobs, so this runs
 * as the caller of verify(); only where the other one, which everybody may run, returns false.
 */
extern const char verify_cron_runs[];
extern const char verify_cron_unreadable[];

#endif							/* ORDER_EXT_VERIFY_RUNNING_H */

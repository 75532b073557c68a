/*
 * messages.h
 *		The checks of verify() about the message log.
 */
#ifndef ORDER_EXT_VERIFY_MESSAGES_H
#define ORDER_EXT_VERIFY_MESSAGES_H

#include "api/verify/check.h"

extern const char verify_cursors_ahead[];
extern const char verify_cursors_forward[];
extern const char verify_parked[];
extern const char verify_kept_groups[];
extern const char verify_kept_once[];
extern const char verify_kept_logged[];
extern const char verify_consumed[];
extern const char verify_consumed_recent[];
extern const char verify_segments[];
extern const char verify_log_rows[];
extern const char verify_dedup[];
extern const char verify_backlog[];
extern const char verify_dispatch_enabled[];
extern const char verify_workers_answer[];
extern const char verify_versions[];
extern const char verify_log_size[];
extern const char verify_late_retries[];
extern const char verify_timers[];

#endif							/* ORDER_EXT_VERIFY_MESSAGES_H */

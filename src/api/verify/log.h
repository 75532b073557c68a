/*
 * log.h
 *		The checks of verify() about the transition log.
 */
#ifndef ORDER_EXT_VERIFY_LOG_H
#define ORDER_EXT_VERIFY_LOG_H

#include "api/verify/check.h"

extern const char verify_log_chain[];
extern const char verify_log_edges[];
extern const char verify_log_print[];
extern const char verify_transition_messages[];
extern const char verify_transition_messages_print[];
extern const char verify_transition_messages_recent[];

#endif							/* ORDER_EXT_VERIFY_LOG_H */

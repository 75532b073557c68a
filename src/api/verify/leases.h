/*
 * leases.h
 *		The checks of verify() about external consumers.
 */
#ifndef ORDER_EXT_VERIFY_LEASES_H
#define ORDER_EXT_VERIFY_LEASES_H

#include "api/verify/check.h"

extern const char verify_leases_end[];
extern const char verify_ended_leases[];

#endif							/* ORDER_EXT_VERIFY_LEASES_H */

/*
 * walls.h
 *		The checks of verify() about who else could write, or have something run.
 */
#ifndef ORDER_EXT_VERIFY_WALLS_H
#define ORDER_EXT_VERIFY_WALLS_H

#include "api/verify/check.h"

extern const char verify_guards[];
extern const char verify_hangers_on[];
extern const char verify_owner[];
extern const char verify_table_rights[];
extern const char verify_sequences[];
extern const char verify_sequences_print[];
extern const char verify_sequences_recent[];
extern const char verify_registered_roles[];

#endif							/* ORDER_EXT_VERIFY_WALLS_H */

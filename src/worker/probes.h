/*
 * probes.h
 *		Which databases there are for the launcher to look into. The launcher is connected
 *		to none, so it reads the shared catalog pg_database.
 */
#ifndef ORDER_EXT_PROBES_H
#define ORDER_EXT_PROBES_H

#include "postgres.h"

/* Note all databases that workers may connect to, to be probed. Outside of transactions. */
extern void probes_of_all(void);

/* Move databases from that list to slots of the shared memory, a few at a time. */
extern void probes_begin(void);

/* Whether workers may connect to the database (still). Outside of transactions. */
extern bool probes_database_exists(Oid database);

#endif							/* ORDER_EXT_PROBES_H */

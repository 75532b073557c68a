/*
 * tables.h
 *		The transition tables.
 */
#ifndef ORDER_EXT_MACHINE_TABLES_H
#define ORDER_EXT_MACHINE_TABLES_H

#include "machine/machine.h"

/* The table of a machine; by name, NULL if there is none. */
extern const MachineTable *machine_table(Machine machine);

extern const MachineTable *machine_tables(int *n);

#endif							/* ORDER_EXT_MACHINE_TABLES_H */

/*
 * machine.h
 *		The state machines: looking up their edges and names.
 */
#ifndef ORDER_EXT_MACHINE_BASE_MACHINE_H
#define ORDER_EXT_MACHINE_BASE_MACHINE_H

#include "postgres.h"

#include "machine/base/tables.h"

extern const MachineTable *machine_by_name(const char *name);

/* The edge, or OE901: callers check the status first and raise their own errors. */
extern const Edge *machine_edge(Machine machine, int16 from, Event event);

/* The same for an event that may lead to several statuses. */
extern const Edge *machine_edge_to(Machine machine, int16 from, Event event, int16 to);

/* Whether the machine has the edge for the given actor. */
extern bool machine_allows(Machine machine, int16 from, Event event, char actor);

/* Names, NULL for codes that do not exist. */
extern const char *machine_status_name(Machine machine, int16 status);
extern const char *machine_event_name(int event);

/* The code of a status, STATUS_NONE for a name that does not exist. */
extern int16 machine_status_code(Machine machine, const char *name);

#endif							/* ORDER_EXT_MACHINE_BASE_MACHINE_H */

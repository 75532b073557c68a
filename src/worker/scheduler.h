/*
 * scheduler.h
 *		Entry point of the scheduler process.
 */
#ifndef ORDER_EXT_SCHEDULER_H
#define ORDER_EXT_SCHEDULER_H

#include "postgres.h"

extern PGDLLEXPORT void order_ext_scheduler_main(Datum main_arg);

#endif							/* ORDER_EXT_SCHEDULER_H */

/*
 * dispatcher.h
 *		Entry point of the dispatcher processes.
 */
#ifndef ORDER_EXT_DISPATCHER_H
#define ORDER_EXT_DISPATCHER_H

#include "postgres.h"

extern PGDLLEXPORT void order_ext_dispatcher_main(Datum main_arg);

#endif							/* ORDER_EXT_DISPATCHER_H */

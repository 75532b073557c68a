/*
 * launcher.h
 *		Entry point of the launcher process.
 */
#ifndef ORDER_EXT_LAUNCHER_H
#define ORDER_EXT_LAUNCHER_H

#include "postgres.h"

extern PGDLLEXPORT void order_ext_launcher_main(Datum main_arg);

/* Start another launcher in place of one that does not answer. */
extern void launcher_replace_if_silent(void);

/* Register the launcher; only while preloading. */
extern void launcher_register(void);

#endif							/* ORDER_EXT_LAUNCHER_H */

/*
 * handlers.h
 *		The built-in consumers. Each takes a whole batch and works in sets; a repeated delivery
 *		finds nothing left to do.
 */
#ifndef ORDER_EXT_HANDLERS_H
#define ORDER_EXT_HANDLERS_H

/* Register all of them and the status source of bound timers; called from _PG_init. */
extern void handlers_init(void);

#endif							/* ORDER_EXT_HANDLERS_H */

/*
 * hooks.h
 *		Commands that concern the workers.
 */
#ifndef ORDER_EXT_HOOKS_H
#define ORDER_EXT_HOOKS_H

/* Install the ProcessUtility hook and the transaction callback. */
extern void hooks_init(void);

#endif							/* ORDER_EXT_HOOKS_H */

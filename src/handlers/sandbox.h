/*
 * sandbox.h
 *		The built-in gateway "sandbox".
 */
#ifndef ORDER_EXT_SANDBOX_H
#define ORDER_EXT_SANDBOX_H

#include "machine/refund/refund.h"

/* The sandbox's answer; NULL if it was told to lose it. */
extern char *sandbox_call(const Refund *refund);

#endif							/* ORDER_EXT_SANDBOX_H */

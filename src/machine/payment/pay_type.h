/*
 * pay_type.h
 *		What is special about a pay type: what becomes of money that it captures too often.
 */
#ifndef ORDER_EXT_MACHINE_PAYMENT_PAY_TYPE_H
#define ORDER_EXT_MACHINE_PAYMENT_PAY_TYPE_H

#include "postgres.h"

typedef struct PayType
{
	bool		hold_surplus;	/* surplus is paid back only after retry_refund */
	int64		surplus_delay;	/* microseconds before surplus and late money may go back */
} PayType;

/* What was set for a pay type, or the defaults. */
extern void pay_type_read(const char *name, PayType *pay_type);

/* Set it. */
extern void pay_type_write(const char *name, const PayType *pay_type);

#endif							/* ORDER_EXT_MACHINE_PAYMENT_PAY_TYPE_H */

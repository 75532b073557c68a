/*
 * owner.h
 *		Working as order_ext_owner in functions that are SECURITY INVOKER because they
 *		must know their caller.
 */
#ifndef ORDER_EXT_OWNER_H
#define ORDER_EXT_OWNER_H

#include "postgres.h"

typedef struct OwnerSwitch
{
	Oid			outer_user;
	int			outer_context;
} OwnerSwitch;

/*
 * Become the owner of the extension's tables, and go back. An error in between is put
 * right by the abort of the (sub)transaction. No user code runs in between.
 */
extern void owner_begin(OwnerSwitch *state);
extern void owner_end(const OwnerSwitch *state);

/* The role order_ext_owner; raises 42704 if it is missing. */
extern Oid	owner_role(void);

#endif							/* ORDER_EXT_OWNER_H */

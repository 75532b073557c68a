/*
 * stamp.h
 *		The database stamp: whether messages may be delivered in this database.
 */
#ifndef ORDER_EXT_STAMP_H
#define ORDER_EXT_STAMP_H

#include "postgres.h"

/* Raise 55000 where nothing may be delivered: see stamp_is_own() in catalog.h. */
extern void stamp_check_own(void);

#endif							/* ORDER_EXT_STAMP_H */

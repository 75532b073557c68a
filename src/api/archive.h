/*
 * archive.h
 *		Moving settled orders to the archive.
 */
#ifndef ORDER_EXT_API_ARCHIVE_H
#define ORDER_EXT_API_ARCHIVE_H

#include "postgres.h"

/* One step of it, if order_ext.order_retention says so; returns the number of orders moved. */
extern int64 archive_step(void);

#endif							/* ORDER_EXT_API_ARCHIVE_H */

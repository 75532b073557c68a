/*
 * take.h
 *		Rows of messages that receive() takes from where they wait.
 */
#ifndef ORDER_EXT_TAKE_H
#define ORDER_EXT_TAKE_H

#include "core/spi_util.h"
#include "message/delivery/retries.h"

/* Reads a row of the query, from the row_* functions, with payload; returns the id of its row. */
typedef int64 (*TakeRow) (uint64 row, Delivery *delivery);

/*
 * Lock rows by the query and read them: at most limit, and no more once their payloads have reached
 * the bytes. Only those are locked. *deliveries and *ids are palloc'd. Returns their number.
 */
extern int	take_rows(SavedPlan *query, const Datum *values, TakeRow read, int limit, Size bytes,
					  Delivery **deliveries, int64 **ids);

#endif							/* ORDER_EXT_TAKE_H */

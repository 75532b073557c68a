/*
 * dropped.h
 *		Archived orders whose documents were exported and dropped: they do not come back when
 *		something is reported about them. See docs/archive.md.
 *
 * All look at what is committed at this moment, whichever snapshot the transaction has: what was
 * dropped after that was taken must not be unknown. Inside api_call() only, unless nothing is
 * archived.
 */
#ifndef ORDER_EXT_MACHINE_ARCHIVE_DROPPED_H
#define ORDER_EXT_MACHINE_ARCHIVE_DROPPED_H

#include "postgres.h"

#include "datatype/timestamp.h"

/* What is known of such an order. */
typedef struct DroppedOrder
{
	int16		status;
	int32		version;
	TimestampTz dropped_at;
} DroppedOrder;

/* False if the order was not dropped. */
extern bool dropped_read(int64 order_id, DroppedOrder *order);

/* Whether an order that was dropped had the number, or id, of a kind; see archive_key(). */
extern bool dropped_had_number(const char *kind, const char *number);
extern bool dropped_had_id(const char *kind, int64 id);

#endif							/* ORDER_EXT_MACHINE_ARCHIVE_DROPPED_H */

/*
 * recall.h
 *		Orders of the archive about which something is reported: they are brought back first, in
 *		the same transaction, and then everything goes on as if they had never been away.
 *
 * To be called where a row was not found: an order is either live or archived, with all of its
 * rows. A second look then finds it. Inside api_call() only, unless nothing is archived.
 */
#ifndef ORDER_EXT_MACHINE_ARCHIVE_RECALL_H
#define ORDER_EXT_MACHINE_ARCHIVE_RECALL_H

#include "postgres.h"

#include "core/row.h"
#include "core/spi_util.h"

/*
 * Bring the order back; false if it is not in the archive. 40001 if it was not found only because
 * it is newer than the snapshot (REPEATABLE READ, SERIALIZABLE): what is reported about it must
 * not be held as if it were unknown.
 */
extern bool recall_order(int64 order_id);

/*
 * The same for the orders with a number of a kind, see archive_key(): a payment, refund or
 * after_sale by its id. The locks of these orders are taken first. By other numbers, whatever is
 * newer is recall_newer()'s business.
 */
extern bool recall_by_id(const char *kind, int64 id);
extern bool recall_by_number(const char *kind, const char *number);

/* 40001 if a row with these values of the index's first columns is newer than the snapshot. */
extern void recall_newer(RowTable *table, const Datum *keys, int n_keys);

/* Whether the order is in the archive; changes nothing. */
extern bool recall_is_archived(int64 order_id);

/*
 * Run a query of the archive with what is committed at this moment, whichever snapshot the
 * transaction has: what was moved or dropped after that was taken must not be unknown. Returns the
 * number of rows; 0 as long as there is no archive.
 */
extern uint64 recall_look_now(SavedPlan *plan, const Datum *values);

#endif							/* ORDER_EXT_MACHINE_ARCHIVE_RECALL_H */

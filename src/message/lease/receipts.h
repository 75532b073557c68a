/*
 * receipts.h
 *		When leases end: a receipt holds the end of all leases of a receive(), or of those that
 *		were extended together.
 */
#ifndef ORDER_EXT_RECEIPTS_H
#define ORDER_EXT_RECEIPTS_H

#include "postgres.h"

#include "core/spi_util.h"

/* Messages of one receive(), and of a receipt. */
#define MAX_RECEIVED 10000
#define TOKENS_A_RECEIPT 16384

/* SQL: whether lease l belongs to the receipt, by its token: a range of the primary key. */
#define OF_RECEIPT(receipt) \
	"l.token >= " receipt " * " CODE(TOKENS_A_RECEIPT) \
	" AND l.token < (" receipt " + 1) * " CODE(TOKENS_A_RECEIPT)

extern int64 receipt_next(void);

/*
 * When this transaction commits, unless the current subtransaction is rolled back, leases that
 * name the receipt end that many microseconds later. tokens lists the leases unless they are
 * those derived from the receipt's number; copied.
 */
extern void receipt_note(int64 receipt, int32 group_id, int64 lease, const int64 *tokens, int n);

/* Delete those of the receipts that no lease names anymore. SPI must be connected. */
extern void receipts_sweep(const int64 *receipts, int n);

/* Register the callbacks; once, from message_init(). */
extern void receipts_init(void);

#endif							/* ORDER_EXT_RECEIPTS_H */

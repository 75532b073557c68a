/*
 * leases.h
 *		External consumers: messages that somebody outside holds for a time.
 *
 * A lease is a row with a copy of the message. Its token is unique and grows from delivery
 * to delivery of a message, so that an answer that comes too late is told by its token (a
 * fence). Nobody waits: whoever receives takes the group's cursor if it is free, and of
 * other rows those that nobody has locked.
 *
 * When a lease ends is not written on it, since it counts from a commit that is yet to
 * come: it names a receipt, and that row is written as the last thing before the commit.
 */
#ifndef ORDER_EXT_LEASES_H
#define ORDER_EXT_LEASES_H

#include "postgres.h"

#include "fmgr.h"
#include "utils/timestamp.h"

#include "message/base/catalog.h"

/* Messages of one receive(), and of a receipt. */
#define MAX_RECEIVED 10000
#define TOKENS_A_RECEIPT 16384

/* Receipts whose end has come that one receive() goes through. */
#define RECEIPTS_A_CALL 64

/*
 * The group of that name, copied; raises OE701 if there is none, 55000 if it has a handler,
 * 42501 if the current user is no member of its role.
 */
extern ConsumerGroup *consumer_group_open(const char *name);

/* Raise 55000 where nothing may be delivered (see stamp.c). */
extern void check_delivery_enabled(void);

/* ---- receipts ---- */

extern int64 receipt_next(void);

/*
 * At the commit of this transaction, unless the current subtransaction is rolled back:
 * leases that name the receipt end that many microseconds later. tokens: which, if they
 * are others than those made of the receipt's number; copied.
 */
extern void receipt_note(int64 receipt, int32 group_id, int64 lease, const int64 *tokens, int n);

/* Delete those of the receipts that no lease names any more. SPI must be connected. */
extern void receipts_sweep(const int64 *receipts, int n);

/* Register the callbacks; once, from message_init(). */
extern void receipts_init(void);

/* ---- for others ---- */

/* The group gets a handler: what external consumers hold becomes due at the leases' ends. */
extern void leases_to_retries(int32 group_id);

#endif							/* ORDER_EXT_LEASES_H */

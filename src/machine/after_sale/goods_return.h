/*
 * goods_return.h
 *		The return machine: the goods of an after-sale that are sent back, and the facts reported
 *		about them. Everything here runs under the refund lock of the order.
 *
 * Prefixes: return_
 */
#ifndef ORDER_EXT_MACHINE_AFTER_SALE_GOODS_RETURN_H
#define ORDER_EXT_MACHINE_AFTER_SALE_GOODS_RETURN_H

#include "machine/after_sale/after_sale.h"

#define MAX_CARRIER_CHARS	64
#define MAX_TRACKING_CHARS	128

/* What an event changes in addition to status and version. */
typedef struct ReturnChange
{
	TimestampTz return_by;		/* DT_NOBEGIN: unchanged */
	const char *carrier;		/* or NULL */
	const char *tracking_no;	/* or NULL */
} ReturnChange;

/*
 * Move the return of an after-sale along an edge, also from NO_RETURN, with its log row; the
 * given row is updated. change may be NULL. 40001 if it is in another status.
 */
extern void return_fire(Journal *journal, AfterSale *after_sale, Event event, char actor,
						const ReturnChange *change, Jsonb *detail);

/* ---- reported facts ---- */

typedef struct ReturnFact
{
	int64		after_sale_id;
	ReturnFactKind kind;
	Jsonb	   *content;
} ReturnFact;

/* The id of a fact that will be applied, for the refund and the ledger rows that name it. */
extern int64 return_fact_reserve(void);

/* Store a fact that was applied, with the result of the call. event_id: reserved. */
extern void return_fact_applied(Journal *journal, const ReturnFact *fact, int64 event_id,
								Jsonb *detail);

/* Store a fact for staff and alert, once; after_sale may be NULL (unknown). */
extern void return_fact_held(Journal *journal, const ReturnFact *fact, const AfterSale *after_sale,
							 const char *reason, Jsonb *detail);

/* Whether the same fact has been applied; *detail is the earlier result. */
extern bool return_fact_known(const ReturnFact *fact, Jsonb **detail);

#endif							/* ORDER_EXT_MACHINE_AFTER_SALE_GOODS_RETURN_H */

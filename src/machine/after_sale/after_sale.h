/*
 * after_sale.h
 *		The after-sale machine: which part of an order is returned or refunded, and why.
 *
 * An after-sale is changed under the refund lock of its order, as are its refunds: one lock for
 * the order's money. Once approved, its status follows its refunds.
 */
#ifndef ORDER_EXT_MACHINE_AFTER_SALE_AFTER_SALE_H
#define ORDER_EXT_MACHINE_AFTER_SALE_AFTER_SALE_H

#include "machine/base/journal.h"

typedef struct AfterSale
{
	int64		after_sale_id;
	int64		order_id;
	int64		user_id;
	int64		amount;			/* paid back, freight and extra included */
	int64		freight;
	int64		extra;			/* for neither lines nor freight */
	int64		paid_outside;	/* of the amount, not by its refunds */
	TimestampTz applied_at;
	TimestampTz return_by;		/* DT_NOBEGIN: at no time */
	int32		version;
	int32		return_version;
	int32		order_version;	/* of its order, for messages */
	int16		status;
	int16		type;
	int16		detail_type;
	int16		source;
	int16		reason_code;
	int16		return_status;	/* or NO_RETURN */
	char	   *origin;			/* NULL: an application by a person */
	char	   *reason;			/* or NULL */
} AfterSale;

typedef struct AfterSaleItem
{
	int64		product_id;
	int64		amount;			/* paid back for the pieces */
	int64		discount;		/* their share of the line's coupon discount */
	int32		line;			/* of the order */
	int32		quantity;
	int32		before;			/* pieces of the line in other after-sales then */
} AfterSaleItem;

/* SQL: whether after-sale a waits for no goods, nor for a decision about any. */
#define AFTER_SALE_HAS_ITS_GOODS \
	"(a.type <> " CODE(AFTER_SALE_RETURN_REFUND) \
	" OR coalesce(a.return_status = " CODE(RETURN_INSPECTED) ", false))"

/* Read an after-sale in a new statement; false, or OE001, if it does not exist. */
extern bool after_sale_read(int64 after_sale_id, AfterSale *after_sale);
extern void after_sale_read_or_fail(int64 after_sale_id, AfterSale *after_sale);

/*
 * Insert an after-sale with its items: event EVENT_AFTER_SALE_APPLY or _OPEN. Id, status, version
 * and applied_at are filled in. Returns false without doing anything if the order already has one
 * of this origin. The order's refund lock is held.
 */
extern bool after_sale_create(Journal *journal, AfterSale *after_sale,
							  const AfterSaleItem *items, int n_items,
							  Event event, char actor, Jsonb *detail);

/* Whether the order has an after-sale, or another transaction is making one. */
extern bool after_sale_exists(int64 order_id);

/*
 * Change the amount of an after-sale that has no refund: freight included, and its extra, which
 * the caller has set.
 */
extern void after_sale_reprice(AfterSale *after_sale, int64 amount, int64 freight,
							   const AfterSaleItem *items, int n_items);

/*
 * Move an after-sale along an edge, with its log row and messages; the given row is updated.
 * review_reason may be NULL. 40001 if it is in another status.
 */
extern void after_sale_fire(Journal *journal, AfterSale *after_sale, Event event, char actor,
							const char *review_reason, Jsonb *detail);

/*
 * The same for after-sales, given by their ids, that are all in the status from which the edge
 * leads: one guarded UPDATE.
 */
extern void after_sales_move(Journal *journal, const Edge *edge, const int64 *ids, int n,
							 char actor, const char *review_reason, Jsonb *detail);

/*
 * The n rows that the last statement returned, which are (after_sale_id, order_id, user_id, amount,
 * version, the order's version); nothing else is known of these after-sales.
 */
extern AfterSale *after_sales_returned(int n);

/*
 * Record that they have moved along an edge: log rows and messages. Their lines are on record.
 */
extern void after_sales_journal(Journal *journal, const Edge *edge, const AfterSale *after_sales,
								int n, char actor, Jsonb *detail);

/* The id of the order's after-sale of this origin; 0 if it has none. */
extern int64 after_sale_of_origin(int64 order_id, const char *origin);

#endif							/* ORDER_EXT_MACHINE_AFTER_SALE_AFTER_SALE_H */

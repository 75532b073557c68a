/*
 * came_back.h
 *		What came back of the goods of a return, and what follows: pieces in order are paid back at
 *		once, damaged ones when staff says so, and what never came leaves the after-sale when the
 *		return window ends. Everything here runs under the refund lock of the order.
 *
 * Each receipt, and each decision, has a refund of its own. The first r pieces of a line are worth
 * what the formula gives for them as the next ones of the order's line (entitlement.h), and the
 * last one the rest of the line's amount, so that all receipts together are worth to the cent what
 * one of everything would be. The freight goes back with the last piece.
 */
#ifndef ORDER_EXT_MACHINE_AFTER_SALE_CAME_BACK_H
#define ORDER_EXT_MACHINE_AFTER_SALE_CAME_BACK_H

#include "machine/after_sale/goods_return.h"

/* A line of an after-sale. Its pieces are quantity, refused and missing ones. */
typedef struct CameBackLine
{
	int64		product_id;
	int64		pay;			/* of the order's line */
	int64		pay_discount;
	int64		amount;			/* for quantity pieces */
	int64		discount;
	int64		paid;			/* of the amount, refunds requested so far */
	int32		line;			/* of the order */
	int32		lines_of_sku;	/* how many lines of the order have the sku */
	int32		of;				/* pieces of the order's line */
	int32		before;			/* of these, in after-sales when this one was priced */
	int32		quantity;		/* that go back */
	int32		received;
	int32		damaged;
	int32		restocked;
	int32		refunded;
	int32		refused;		/* came damaged, and are not paid for */
	int32		missing;		/* never came */
	int32		now;			/* pieces that a receipt tells of */
	int32		now_damaged;
	int32		now_refunded;
	int64		now_paid;
	char	   *sku;
} CameBackLine;

/* The lines of an after-sale, by line. */
extern CameBackLine *came_back_lines(const AfterSale *after_sale, int *n);

/* Pieces that have not come, and damaged ones that nobody has decided about: of a line, or all. */
extern int32 came_back_awaited(const CameBackLine *line);
extern int64 came_back_awaited_of(const CameBackLine *lines, int n);
extern int64 came_back_undecided_of(const CameBackLine *lines, int n);

/* What a receipt or a decision led to. */
typedef struct CameBackRefund
{
	int64		event_id;		/* of the fact, given: return_fact_reserve() */
	int64		refund_id;		/* 0: nothing to pay */
	int64		amount;
} CameBackRefund;

/*
 * A receipt of the pieces that the lines tell of in now and now_damaged, which are awaited. With
 * restock, those in order are available again. Staff is alerted to damaged ones.
 */
extern void came_back_receive(Journal *journal, AfterSale *after_sale, CameBackLine *lines, int n,
							  bool restock, CameBackRefund *refund);

/* Staff's decision about the damaged pieces, which there are. */
extern void came_back_resolve(Journal *journal, AfterSale *after_sale, CameBackLine *lines, int n,
							  bool pay_them, CameBackRefund *refund);

/* The return window is over: what has not come no longer belongs to the after-sale. */
extern void came_back_lapse(Journal *journal, AfterSale *after_sale);

#endif							/* ORDER_EXT_MACHINE_AFTER_SALE_CAME_BACK_H */

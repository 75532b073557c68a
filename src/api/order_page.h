/*
 * order_page.h
 *		A page of orders, newest first: which orders a filter finds.
 */
#ifndef ORDER_EXT_ORDER_PAGE_H
#define ORDER_EXT_ORDER_PAGE_H

#include "compat.h"

#include "utils/timestamp.h"

/* The most that a page can have, and the most that is looked at to fill one. */
#define ORDER_PAGE_MAX			1000
#define ORDER_PAGE_EXAMINED		10000

/* Conditions, all of which must hold. */
typedef struct OrderFilter
{
	int64		user_id;		/* 0: any */
	int16	   *statuses;		/* NULL: any */
	int			n_statuses;
	bool		visible;		/* not those that the buyer has removed */
	int64		before;			/* only ids below; 0: all */
	bool		has_from;
	bool		has_to;
	TimestampTz from;			/* of created_at, both inclusive */
	TimestampTz to;
	char	   *sku;			/* NULL: any; so are the others */
	char	   *external_id;
	char	   *out_trade_no;
	char	   *gateway_refund_no;
	int64		id;				/* of the order or of what belongs to it; 0: any */
	char	   *text;			/* any of these ids and numbers */
} OrderFilter;

typedef struct OrderPage
{
	int64	   *order_ids;
	int			n;
	int64		next_before;	/* to go on if not all could be looked at; 0: all were */
} OrderPage;

/*
 * The first max_orders orders that the filter finds, under the active snapshot, by the index that
 * finds the fewest.
 */
extern void order_page_read(const OrderFilter *filter, int max_orders, OrderPage *page);

#endif							/* ORDER_EXT_ORDER_PAGE_H */

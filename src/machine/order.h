/*
 * order.h
 *		The order machine: reads and moves rows of the table orders.
 */
#ifndef ORDER_EXT_MACHINE_ORDER_H
#define ORDER_EXT_MACHINE_ORDER_H

#include "core/call.h"
#include "machine/journal.h"

typedef struct Order
{
	int64		order_id;
	int64		user_id;
	int64		pay_amount;
	int64		coupon_id;		/* 0 = none */
	TimestampTz expire_at;
	int32		version;
	int16		status;
	char	   *currency;
	int16		address_changes;
	bool		removed;		/* hidden by its buyer */
} Order;

/* What an event changes besides status and version. */
typedef struct OrderChange
{
	bool		cancels;		/* sets canceled_at and the two below */
	CancelType	cancel_type;
	bool		refund_hold;
	bool		removes;		/* sets removed_at */
	Jsonb	   *address;		/* the new address, or NULL */
	Jsonb	  **payloads;		/* of the messages, one per order; NULL: the standard one */
} OrderChange;

/*
 * Read an order in a new statement; false if there is none. Decide only on what is
 * read after the order's locks are held.
 */
extern bool order_read(int64 order_id, Order *order);

/*
 * The same for calls that decide on the status without changing the row: under an older
 * transaction snapshot, raises 40001 where the row is newer than that.
 */
extern bool order_read_current(int64 order_id, Order *order);

/*
 * Make the row new without changing it: a transaction with an older snapshot cannot move
 * the order then (40001). For what a move must see and an older snapshot does not show.
 */
extern void order_touch(int64 order_id);

/* The id, status and version of a call's result; of the order, or of none (NULL) that is there. */
extern void order_result(CallResult *result, int64 order_id, const Order *order);

/* Raise OE001 if there is no such order. */
extern void order_read_or_fail(int64 order_id, Order *order);

/* The orders among ids that have the status, in id order. */
extern Order *orders_read_in_status(const int64 *ids, int n, OrderStatus status, int *n_orders);

/* The amounts and texts of a new order that no machine cares about later. */
typedef struct NewOrder
{
	Order		order;
	int64		origin_amount;
	int64		discount_amount;
	int64		freight_amount;
	TimestampTz created_at;
	char	   *external_id;	/* NULL = none */
	Jsonb	   *options;
} NewOrder;

/*
 * Insert the order as created, with its log row and order.created. False, and nothing
 * done, if the id is taken. Raises 23505 if the external_id is.
 */
extern bool order_create(Journal *journal, NewOrder *new_order, Jsonb *detail);

/*
 * Move orders, all in the same status and with their locks held, along an edge: one
 * guarded UPDATE, then log rows and messages. The rows given are brought up to date.
 * If one of them is not in that status any more, raises 40001.
 */
extern void orders_fire(Journal *journal, Order *orders, int n, Event event, char actor,
						const OrderChange *change, Jsonb *detail);

/*
 * Cancel those among ids, their locks held, that are unpaid and due at the journal's
 * time: one guarded UPDATE decides which, then log rows and messages. Returns them as
 * they are now.
 */
extern Order *orders_expire(Journal *journal, const int64 *ids, int n, Jsonb *detail,
							int *n_orders);

/* Tell the message layer the statuses of orders, for bound timers. */
extern void order_statuses_source(const int64 *keys, int n, int16 *statuses);

#endif							/* ORDER_EXT_MACHINE_ORDER_H */

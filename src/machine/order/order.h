/*
 * order.h
 *		The order machine: reads and moves rows of the table orders.
 */
#ifndef ORDER_EXT_MACHINE_ORDER_ORDER_H
#define ORDER_EXT_MACHINE_ORDER_ORDER_H

#include "core/call.h"
#include "machine/base/journal.h"

typedef struct Order
{
	int64		order_id;
	int64		user_id;
	int64		origin_amount;
	int64		discount_amount;
	int64		freight_amount;
	int64		pay_amount;
	int64		coupon_id;		/* 0 = none */
	TimestampTz expire_at;
	int32		version;
	int16		status;
	char	   *currency;
	int16		address_changes;
	bool		removed;		/* hidden by its buyer */
	bool		paid;			/* at some time */
	char	   *external_id;	/* NULL = none */
	Datum		options;		/* jsonb; 0 unless it was read */
} Order;

/* What an event changes in addition to status and version. */
typedef struct OrderChange
{
	bool		cancels;		/* sets canceled_at and the two below */
	CancelType	cancel_type;
	bool		refund_hold;
	const char *reason;			/* of canceling, for its message; or NULL */
	bool		removes;		/* sets removed_at */
	Jsonb	   *address;		/* the new address, or NULL */
	TimestampTz expire_at;		/* the new deadline, or 0 */
	Jsonb	  **payloads;		/* of the edge's first message, one per order, or NULL */
} OrderChange;

/*
 * Read an order in a new statement; raises OE001 if it does not exist. Base decisions only on what
 * is read while the order's locks are held.
 */
extern void order_read_or_fail(int64 order_id, Order *order);

/* Raises OE003, with the hint, unless the order is the user's. */
extern void order_check_owner(const Order *order, int64 user_id, const char *hint);

/*
 * For calls that depend on the status without changing the row: false if the order does not exist,
 * 40001 if the row is newer than the transaction's snapshot.
 */
extern bool order_read_current(int64 order_id, Order *order);

/*
 * Write a new version of the row without changing it, so that a transaction with an older
 * snapshot cannot move the order (40001). For changes that a transition must see but an older
 * snapshot does not show.
 */
extern void order_touch(int64 order_id);

/*
 * Fill in id, status and version of a call's result; order is NULL if it does not exist. One that
 * was dropped is what it was.
 */
extern void order_result(CallResult *result, int64 order_id, const Order *order);

/* Those of the given orders that have the status, in id order. */
extern Order *orders_read_in_status(const int64 *ids, int n, OrderStatus status, int *n_orders);

typedef struct NewOrder
{
	Order		order;
	TimestampTz created_at;
} NewOrder;

/*
 * Insert the order as created, with its log row and order.created. Returns false without doing
 * anything if the id is taken. Raises 23505 if the external_id is.
 */
extern bool order_create(Journal *journal, NewOrder *new_order, Jsonb *detail);

/*
 * Move orders, all in the same status and with their locks held, along an edge: one guarded
 * UPDATE, then log rows and messages. The given rows are updated. Raises 40001 if one of them is
 * no longer in that status.
 */
extern void orders_fire(Journal *journal, Order *orders, int n, Event event, char actor,
						const OrderChange *change, Jsonb *detail);

/* What order.canceled says of orders that have expired. */
typedef Jsonb **(*OrderPayloads) (const Order *orders, int n);

/*
 * Cancel those among ids, their locks held, that are unpaid and due at the journal's time: one
 * guarded UPDATE decides which, then log rows and messages. Returns their new rows.
 */
extern Order *orders_expire(Journal *journal, const int64 *ids, int n, Jsonb *detail,
							OrderPayloads payloads, int *n_orders);

/*
 * Provides the message layer with the statuses of orders, for bound timers. An unpaid order has
 * none for a timer of a deadline that was its own before extend_deadline.
 */
extern void order_statuses_source(const int64 *keys, const TimestampTz *due_at, int n,
								  int16 *statuses);

#endif							/* ORDER_EXT_MACHINE_ORDER_ORDER_H */

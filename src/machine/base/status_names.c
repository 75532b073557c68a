/*
 * status_names.c
 *		The statuses of each machine by name; see status_names.h.
 */
#include "compat.h"

#include "machine/base/status_names.h"

const CodeName status_names_order[] = {
	{ORDER_CREATED, "created"},
	{ORDER_PAID, "paid"},
	{ORDER_FULFILLING, "fulfilling"},
	{ORDER_OUT_STOCK, "out_stock"},
	{ORDER_DELIVERING, "delivering"},
	{ORDER_SIGNED, "signed"},
	{ORDER_CANCELED, "canceled"},
	{ORDER_REFUSED, "refused"},
	{ORDER_INVALID, "invalid"},
	{0, NULL}
};

const CodeName status_names_payment[] = {
	{PAYMENT_INITIATED, "initiated"},
	{PAYMENT_CAPTURED, "captured"},
	{PAYMENT_CLOSED, "closed"},
	{PAYMENT_FAILED, "failed"},
	{0, NULL}
};

const CodeName status_names_after_sale[] = {
	{AFTER_SALE_APPLIED, "applied"},
	{AFTER_SALE_APPROVED, "approved"},
	{AFTER_SALE_REJECTED, "rejected"},
	{AFTER_SALE_REFUNDING, "refunding"},
	{AFTER_SALE_REFUNDED, "refunded"},
	{AFTER_SALE_FAILED, "failed"},
	{AFTER_SALE_CLOSED, "closed"},
	{AFTER_SALE_REOPENED, "reopened"},
	{AFTER_SALE_REVOKED, "revoked"},
	{0, NULL}
};

const CodeName status_names_return[] = {
	{RETURN_AWAITING, "awaiting"},
	{RETURN_TO_SEND, "to_send"},
	{RETURN_IN_TRANSIT, "in_transit"},
	{RETURN_RECEIVED, "received"},
	{RETURN_PARTLY, "partly_received"},
	{RETURN_INSPECTED, "inspected"},
	{RETURN_DAMAGED, "damaged"},
	{0, NULL}
};

const CodeName status_names_refund[] = {
	{REFUND_REQUESTED, "requested"},
	{REFUND_SUBMITTED, "submitted"},
	{REFUND_SUCCEEDED, "succeeded"},
	{REFUND_FAILED, "failed"},
	{REFUND_WITHDRAWN, "withdrawn"},
	{0, NULL}
};

const CodeName status_names_coupon[] = {
	{COUPON_UNUSED, "unused"},
	{COUPON_LOCKED, "locked"},
	{COUPON_USED, "used"},
	{COUPON_EXPIRED, "expired"},
	{0, NULL}
};

const CodeName status_names_fulfilment[] = {
	{FULFILMENT_CREATED, "created"},
	{FULFILMENT_PICKING, "picking"},
	{FULFILMENT_LABELLED, "labelled"},
	{FULFILMENT_OUT, "out"},
	{FULFILMENT_CANCEL_REQUESTED, "cancel_requested"},
	{FULFILMENT_CANCELED, "canceled"},
	{0, NULL}
};

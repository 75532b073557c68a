/*
 * tables.c
 *		The transition table of every machine. To see what an order can do, read this.
 */
#include "compat.h"

#include "machine/tables.h"

/* ---- order ---- */

static const StatusName order_statuses[] = {
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

static const Edge order_edges[] = {
	{STATUS_NONE, ORDER_CREATED, EVENT_CREATE, "B",
		"price agreed, stock reserved, coupon locked, timer armed",
	{TOPIC_ORDER_CREATED}, 0},
	{ORDER_CREATED, ORDER_CREATED, EVENT_PRE_PAY, "B",
		"before the deadline, amount equal",
	{0}, 0},
	{ORDER_CREATED, ORDER_CREATED, EVENT_EXTEND_DEADLINE, "S",
		"a later deadline; its timer is armed",
	{0}, 0},
	{ORDER_CREATED, ORDER_PAID, EVENT_PAY, "GBS",
		"first capture of the full amount, held money accepted, or nothing to pay",
	{TOPIC_ORDER_PAID}, 0},
	{ORDER_CREATED, ORDER_CANCELED, EVENT_EXPIRE, "X",
		"deadline passed, no applied capture",
	{TOPIC_ORDER_CANCELED, TOPIC_ORDER_RELEASE_ASSETS}, TOPIC_PAYMENT_CLOSE},
	{ORDER_CREATED, ORDER_CANCELED, EVENT_CANCEL, "BS",
		"owner or staff",
	{TOPIC_ORDER_CANCELED, TOPIC_ORDER_RELEASE_ASSETS}, TOPIC_PAYMENT_CLOSE},
	{ORDER_PAID, ORDER_CANCELED, EVENT_CANCEL, "BS",
		"owner or staff; captured money is refunded, the fulfilment gets a tombstone",
	{TOPIC_ORDER_CANCELED, TOPIC_ORDER_RELEASE_ASSETS}, TOPIC_PAYMENT_CLOSE},
	{ORDER_PAID, ORDER_FULFILLING, EVENT_FULFIL, "X",
		"something to ship, no tombstone",
	{TOPIC_FULFILMENT_REQUESTED}, 0},
	{ORDER_PAID, ORDER_SIGNED, EVENT_SIGN_VIRTUAL, "X",
		"virtual goods only; reservation consumed",
	{TOPIC_ORDER_SIGNED}, 0},
	{ORDER_FULFILLING, ORDER_OUT_STOCK, EVENT_SHIP_OUT, "W",
		"not canceled; reservation consumed",
	{TOPIC_ORDER_SHIPPED_OUT}, 0},
	{ORDER_FULFILLING, ORDER_CANCELED, EVENT_CANCEL, "BSW",
		"intercepted: our own warehouse at once, an external one by its answer",
	{TOPIC_ORDER_CANCELED, TOPIC_ORDER_RELEASE_ASSETS}, TOPIC_PAYMENT_CLOSE},
	{ORDER_FULFILLING, ORDER_FULFILLING, EVENT_REQUEST_INTERCEPT, "BS",
		"an external warehouse, not asked before",
	{TOPIC_FULFILMENT_CANCEL_REQUESTED}, 0},
	{ORDER_FULFILLING, ORDER_FULFILLING, EVENT_REFUSE_INTERCEPT, "W",
		"the external warehouse refuses, or the goods are out already",
	{0}, 0},
	{ORDER_OUT_STOCK, ORDER_DELIVERING, EVENT_DELIVER, "W",
		"the carrier has it",
	{TOPIC_ORDER_DELIVERING}, 0},
	{ORDER_OUT_STOCK, ORDER_REFUSED, EVENT_REFUSE, "W",
		"the receiver refuses the parcel",
	{TOPIC_ORDER_REFUSED}, 0},
	{ORDER_DELIVERING, ORDER_SIGNED, EVENT_SIGN, "WBX",
		"the carrier says so, or the buyer, or nobody for too long",
	{TOPIC_ORDER_SIGNED}, 0},
	{ORDER_DELIVERING, ORDER_REFUSED, EVENT_REFUSE, "W",
		"the receiver refuses the parcel",
	{TOPIC_ORDER_REFUSED}, 0},
	{ORDER_CREATED, ORDER_CREATED, EVENT_CHANGE_ADDRESS, "B",
		"owner, once",
	{TOPIC_ORDER_ADDRESS_CHANGED}, 0},
	{ORDER_PAID, ORDER_PAID, EVENT_CHANGE_ADDRESS, "B",
		"owner, once",
	{TOPIC_ORDER_ADDRESS_CHANGED}, 0},
	{ORDER_FULFILLING, ORDER_FULFILLING, EVENT_CHANGE_ADDRESS, "B",
		"owner, once",
	{TOPIC_ORDER_ADDRESS_CHANGED}, 0},
	{ORDER_SIGNED, ORDER_SIGNED, EVENT_REMOVE, "B",
		"owner, once",
	{0}, 0},
	{ORDER_CANCELED, ORDER_CANCELED, EVENT_REMOVE, "B",
		"owner, once",
	{0}, 0},
	{ORDER_REFUSED, ORDER_REFUSED, EVENT_REMOVE, "B",
		"owner, once",
	{0}, 0},
	{ORDER_INVALID, ORDER_INVALID, EVENT_REMOVE, "B",
		"owner, once",
	{0}, 0},
	{STATUS_NONE, ORDER_CREATED, EVENT_IMPORT, "S",
		"before its deadline or not; stock reserved, coupon locked, timer armed",
	{0}, 0},
	{STATUS_NONE, ORDER_PAID, EVENT_IMPORT, "S",
		"one capture; stock reserved, coupon used",
	{TOPIC_ORDER_PAID}, 0},
	{STATUS_NONE, ORDER_FULFILLING, EVENT_IMPORT, "S",
		"its parcel is with the warehouse",
	{0}, 0},
	{STATUS_NONE, ORDER_OUT_STOCK, EVENT_IMPORT, "S",
		"its parcel is out; reservation consumed",
	{0}, 0},
	{STATUS_NONE, ORDER_DELIVERING, EVENT_IMPORT, "S",
		"the carrier has it; reservation consumed",
	{0}, 0},
	{STATUS_NONE, ORDER_SIGNED, EVENT_IMPORT, "S",
		"signed for; reservation consumed",
	{0}, 0},
	{0}
};

/* ---- payment attempt ---- */

static const StatusName payment_statuses[] = {
	{PAYMENT_INITIATED, "initiated"},
	{PAYMENT_CAPTURED, "captured"},
	{PAYMENT_CLOSED, "closed"},
	{PAYMENT_FAILED, "failed"},
	{0, NULL}
};

static const Edge payment_edges[] = {
	{STATUS_NONE, PAYMENT_INITIATED, EVENT_INITIATE, "B",
		"order created, before its deadline",
	{0}, 0},
	{PAYMENT_INITIATED, PAYMENT_CAPTURED, EVENT_CAPTURE, "G",
		"the gateway says so; its purpose follows from the order",
	{0}, 0},
	{STATUS_NONE, PAYMENT_CAPTURED, EVENT_CAPTURE, "GB",
		"a capture without an open attempt, or nothing to pay",
	{0}, 0},
	{PAYMENT_INITIATED, PAYMENT_CLOSED, EVENT_PAYMENT_CLOSE, "GX",
		"the gateway says that nothing more will come",
	{0}, 0},
	{PAYMENT_INITIATED, PAYMENT_FAILED, EVENT_PAYMENT_FAIL, "G",
		"the gateway says that the attempt failed",
	{0}, 0},
	{PAYMENT_CLOSED, PAYMENT_CAPTURED, EVENT_CAPTURE, "G",
		"money came all the same",
	{0}, 0},
	{PAYMENT_FAILED, PAYMENT_CAPTURED, EVENT_CAPTURE, "G",
		"money came all the same",
	{0}, 0},
	{PAYMENT_CAPTURED, PAYMENT_CAPTURED, EVENT_ACCEPT, "S",
		"held money pays an unpaid order after all",
	{0}, 0},
	{PAYMENT_CAPTURED, PAYMENT_CAPTURED, EVENT_ASSIGN, "S",
		"held or unmatched money without a refund is another order's",
	{0}, 0},
	{PAYMENT_CAPTURED, PAYMENT_CAPTURED, EVENT_DUPLICATE, "S",
		"another capture of the order tells of the same money; no refund of it was claimed",
	{0}, 0},
	{PAYMENT_CAPTURED, PAYMENT_CAPTURED, EVENT_NOT_DUPLICATE, "S",
		"it is money of its own after all, and goes back",
	{0}, 0},
	{PAYMENT_CAPTURED, PAYMENT_CAPTURED, EVENT_DISPUTE_OPEN, "G",
		"its bank wants it back; no refund is claimed meanwhile",
	{0}, 0},
	{PAYMENT_CAPTURED, PAYMENT_CAPTURED, EVENT_DISPUTE_WIN, "G",
		"the dispute ended for the shop",
	{0}, 0},
	{PAYMENT_CAPTURED, PAYMENT_CAPTURED, EVENT_DISPUTE_LOSE, "G",
		"the dispute ended for the buyer, whose bank has taken it back",
	{0}, 0},
	{STATUS_NONE, PAYMENT_INITIATED, EVENT_IMPORT, "S",
		"of an unpaid order of another system",
	{0}, 0},
	{STATUS_NONE, PAYMENT_CAPTURED, EVENT_IMPORT, "S",
		"of a paid order of another system",
	{0}, 0},
	{0}
};

/* ---- after-sale ---- */

static const StatusName after_sale_statuses[] = {
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

static const Edge after_sale_edges[] = {
	{STATUS_NONE, AFTER_SALE_APPROVED, EVENT_AFTER_SALE_OPEN, "XSW",
		"a paid order was canceled, is short of goods, or its parcel was refused",
	{TOPIC_AFTER_SALE_APPLIED}, 0},
	{STATUS_NONE, AFTER_SALE_APPLIED, EVENT_AFTER_SALE_APPLY, "B",
		"signed or refused, in time, no more than what is left",
	{TOPIC_AFTER_SALE_APPLIED}, 0},
	{AFTER_SALE_APPLIED, AFTER_SALE_APPROVED, EVENT_AFTER_SALE_APPROVE, "S",
		"accepted",
	{TOPIC_AFTER_SALE_REVIEWED}, 0},
	{AFTER_SALE_APPLIED, AFTER_SALE_REJECTED, EVENT_AFTER_SALE_REJECT, "S",
		"refused, with the reason",
	{TOPIC_AFTER_SALE_REVIEWED}, 0},
	{AFTER_SALE_APPLIED, AFTER_SALE_REVOKED, EVENT_AFTER_SALE_REVOKE, "B",
		"by its applicant",
	{TOPIC_AFTER_SALE_REVOKED}, 0},
	{AFTER_SALE_APPROVED, AFTER_SALE_REVOKED, EVENT_AFTER_SALE_REVOKE, "B",
		"by its applicant, before goods are sent back",
	{TOPIC_AFTER_SALE_REVOKED}, 0},
	{AFTER_SALE_APPROVED, AFTER_SALE_REFUNDING, EVENT_AFTER_SALE_REFUND, "XGS",
		"its first refund was submitted or answered, or there is nothing to pay back",
	{0}, 0},
	{AFTER_SALE_REFUNDING, AFTER_SALE_REFUNDED, EVENT_AFTER_SALE_SETTLE, "GXS",
		"all its refunds succeeded",
	{TOPIC_AFTER_SALE_REFUNDED}, 0},
	{AFTER_SALE_REFUNDING, AFTER_SALE_FAILED, EVENT_AFTER_SALE_FAIL, "GX",
		"a refund failed and none is open",
	{0}, 0},
	{AFTER_SALE_FAILED, AFTER_SALE_REFUNDED, EVENT_AFTER_SALE_SETTLE, "GXS",
		"what had failed succeeded after all, or went back otherwise",
	{TOPIC_AFTER_SALE_REFUNDED}, 0},
	{AFTER_SALE_REFUNDED, AFTER_SALE_FAILED, EVENT_AFTER_SALE_REVERSE, "G",
		"a refund that had succeeded was reversed",
	{0}, 0},
	{AFTER_SALE_FAILED, AFTER_SALE_REFUNDING, EVENT_AFTER_SALE_RETRY, "S",
		"a failed refund is tried again, under its number",
	{0}, 0},
	{AFTER_SALE_APPLIED, AFTER_SALE_CLOSED, EVENT_AFTER_SALE_CLOSE, "SX",
		"settled otherwise",
	{0}, 0},
	{AFTER_SALE_APPROVED, AFTER_SALE_CLOSED, EVENT_AFTER_SALE_CLOSE, "SX",
		"settled otherwise, or never sent back; no refund submitted",
	{0}, 0},
	{AFTER_SALE_FAILED, AFTER_SALE_CLOSED, EVENT_AFTER_SALE_CLOSE, "SX",
		"settled otherwise",
	{0}, 0},
	{AFTER_SALE_REFUNDING, AFTER_SALE_CLOSED, EVENT_AFTER_SALE_CLOSE, "X",
		"a lost dispute took the money of its refund",
	{0}, 0},
	{AFTER_SALE_CLOSED, AFTER_SALE_APPROVED, EVENT_AFTER_SALE_REVIVE, "S",
		"its withdrawn refund is requested again",
	{0}, 0},
	{AFTER_SALE_REJECTED, AFTER_SALE_REOPENED, EVENT_AFTER_SALE_REOPEN, "S",
		"reviewed again",
	{0}, 0},
	{AFTER_SALE_REOPENED, AFTER_SALE_APPLIED, EVENT_AFTER_SALE_REAPPLY, "S",
		"in the same call",
	{0}, 0},
	{0}
};

/* ---- return: the goods of a return_refund; its id is the after-sale's ---- */

static const StatusName return_statuses[] = {
	{RETURN_AWAITING, "awaiting"},
	{RETURN_TO_SEND, "to_send"},
	{RETURN_IN_TRANSIT, "in_transit"},
	{RETURN_RECEIVED, "received"},
	{RETURN_INSPECTED, "inspected"},
	{RETURN_DAMAGED, "damaged"},
	{0, NULL}
};

/* A received parcel is inspected in the same transaction, so no return stays at this status. */
static const Edge return_edges[] = {
	{STATUS_NONE, RETURN_AWAITING, EVENT_RETURN_AWAIT, "B",
		"applied for",
	{0}, 0},
	{RETURN_AWAITING, RETURN_TO_SEND, EVENT_RETURN_ALLOW, "S",
		"its after-sale is approved",
	{0}, 0},
	{RETURN_TO_SEND, RETURN_IN_TRANSIT, EVENT_RETURN_SEND, "W",
		"the carrier has it",
	{0}, 0},
	{STATUS_NONE, RETURN_IN_TRANSIT, EVENT_RETURN_TURN_BACK, "W",
		"the receiver refused the parcel",
	{0}, 0},
	{RETURN_TO_SEND, RETURN_RECEIVED, EVENT_RETURN_RECEIVE, "W",
		"all pieces are there; the notice that it was sent never came",
	{0}, 0},
	{RETURN_IN_TRANSIT, RETURN_RECEIVED, EVENT_RETURN_RECEIVE, "W",
		"all pieces are there",
	{0}, 0},
	{RETURN_RECEIVED, RETURN_INSPECTED, EVENT_RETURN_PASS, "W",
		"every piece is in order; the money goes back, the goods by flag",
	{0}, 0},
	{RETURN_RECEIVED, RETURN_DAMAGED, EVENT_RETURN_DAMAGE, "W",
		"a piece is damaged; staff decides",
	{0}, 0},
	{0}
};

/* ---- refund ---- */

static const StatusName refund_statuses[] = {
	{REFUND_REQUESTED, "requested"},
	{REFUND_SUBMITTED, "submitted"},
	{REFUND_SUCCEEDED, "succeeded"},
	{REFUND_FAILED, "failed"},
	{REFUND_WITHDRAWN, "withdrawn"},
	{0, NULL}
};

static const Edge refund_edges[] = {
	{STATUS_NONE, REFUND_REQUESTED, EVENT_REQUEST, "XGSW",
		"captured money that is not to be kept, and not yet refunded",
	{0}, TOPIC_REFUND_EXECUTE},
	{STATUS_NONE, REFUND_SUCCEEDED, EVENT_REFUND_RECORD, "G",
		"made outside, at the gateway; no more than is left",
	{TOPIC_REFUND_SUCCEEDED}, 0},
	{STATUS_NONE, REFUND_SUCCEEDED, EVENT_REFUND_DISPUTE, "G",
		"lost in a dispute; no more than is left",
	{0}, 0},
	{REFUND_REQUESTED, REFUND_REQUESTED, EVENT_REFUND_UNHOLD, "S",
		"it was held back",
	{0}, TOPIC_REFUND_EXECUTE},
	{REFUND_REQUESTED, REFUND_SUBMITTED, EVENT_REFUND_CLAIM, "X",
		"not held back; committed before the gateway is called",
	{0}, TOPIC_REFUND_EXECUTE},
	{REFUND_SUBMITTED, REFUND_SUBMITTED, EVENT_REFUND_RECLAIM, "X",
		"its lease is over and the outcome unknown: asked again under its number",
	{0}, TOPIC_REFUND_EXECUTE},
	{REFUND_REQUESTED, REFUND_SUCCEEDED, EVENT_REFUND_SUCCEED, "GS",
		"the gateway says so, or staff, who knows the amount",
	{TOPIC_REFUND_SUCCEEDED}, 0},
	{REFUND_SUBMITTED, REFUND_SUCCEEDED, EVENT_REFUND_SUCCEED, "GS",
		"the gateway says so, or staff, who knows the amount",
	{TOPIC_REFUND_SUCCEEDED}, 0},
	{REFUND_FAILED, REFUND_SUCCEEDED, EVENT_REFUND_SUCCEED, "GS",
		"the gateway says so after all, or staff",
	{TOPIC_REFUND_SUCCEEDED}, 0},
	{REFUND_WITHDRAWN, REFUND_SUCCEEDED, EVENT_REFUND_SUCCEED, "S",
		"the gateway has paid all the same, and its money is left",
	{TOPIC_REFUND_SUCCEEDED}, 0},
	{REFUND_REQUESTED, REFUND_FAILED, EVENT_REFUND_FAIL, "G",
		"the gateway says so",
	{TOPIC_REFUND_FAILED}, 0},
	{REFUND_SUBMITTED, REFUND_FAILED, EVENT_REFUND_FAIL, "G",
		"the gateway says so",
	{TOPIC_REFUND_FAILED}, 0},
	{REFUND_SUCCEEDED, REFUND_FAILED, EVENT_REFUND_REVERSE, "G",
		"the gateway takes its success back",
	{TOPIC_REFUND_FAILED}, 0},
	{REFUND_FAILED, REFUND_REQUESTED, EVENT_REFUND_RETRY, "SX",
		"tried again under its number; its after-sale is still open",
	{0}, TOPIC_REFUND_EXECUTE},
	{REFUND_REQUESTED, REFUND_WITHDRAWN, EVENT_REFUND_WITHDRAW, "BSXG",
		"with its after-sale, by staff, or its money went back outside; nobody has it claimed",
	{0}, 0},
	{REFUND_FAILED, REFUND_WITHDRAWN, EVENT_REFUND_WITHDRAW, "G",
		"its money went back outside",
	{0}, 0},
	{REFUND_REQUESTED, REFUND_REQUESTED, EVENT_REFUND_REDUCE, "G",
		"a part of its money went back outside",
	{0}, 0},
	{REFUND_FAILED, REFUND_FAILED, EVENT_REFUND_REDUCE, "G",
		"a part of its money went back outside",
	{0}, 0},
	{REFUND_WITHDRAWN, REFUND_REQUESTED, EVENT_REFUND_REVIVE, "S",
		"withdrawn by staff; the money is left",
	{0}, TOPIC_REFUND_EXECUTE},
	{0}
};

/* ---- coupon ---- */

static const StatusName coupon_statuses[] = {
	{COUPON_UNUSED, "unused"},
	{COUPON_LOCKED, "locked"},
	{COUPON_USED, "used"},
	{COUPON_EXPIRED, "expired"},
	{0, NULL}
};

static const Edge coupon_edges[] = {
	{STATUS_NONE, COUPON_UNUSED, EVENT_ISSUE, "S",
		"issued",
	{0}, 0},
	{COUPON_UNUSED, COUPON_LOCKED, EVENT_LOCK, "B",
		"owner, window, threshold",
	{0}, 0},
	{COUPON_LOCKED, COUPON_USED, EVENT_USE, "GBS",
		"its order is paid",
	{0}, 0},
	{COUPON_LOCKED, COUPON_UNUSED, EVENT_RELEASE, "X",
		"its order is canceled, window open",
	{0}, 0},
	{COUPON_USED, COUPON_UNUSED, EVENT_RELEASE, "X",
		"its order is canceled or all of it went back, window open or extended",
	{0}, 0},
	{COUPON_LOCKED, COUPON_EXPIRED, EVENT_LAPSE, "X",
		"its order is canceled, window over",
	{0}, 0},
	{COUPON_USED, COUPON_EXPIRED, EVENT_LAPSE, "X",
		"its order is canceled or all of it went back, window over",
	{0}, 0},
	{COUPON_UNUSED, COUPON_LOCKED, EVENT_IMPORT, "S",
		"by an unpaid order of another system",
	{0}, 0},
	{COUPON_UNUSED, COUPON_USED, EVENT_IMPORT, "S",
		"by a paid order of another system",
	{0}, 0},
	{0}
};

/* ---- fulfilment ---- */

static const StatusName fulfilment_statuses[] = {
	{FULFILMENT_CREATED, "created"},
	{FULFILMENT_PICKING, "picking"},
	{FULFILMENT_LABELLED, "labelled"},
	{FULFILMENT_OUT, "out"},
	{FULFILMENT_CANCEL_REQUESTED, "cancel_requested"},
	{FULFILMENT_CANCELED, "canceled"},
	{0, NULL}
};

/*
 * A picked parcel is labeled in the same transaction, so no fulfillment stays at picking. If
 * out_stock comes first, it takes these steps too.
 */
static const Edge fulfilment_edges[] = {
	{STATUS_NONE, FULFILMENT_CREATED, EVENT_PREPARE, "X",
		"its order is paid; delivery order made",
	{0}, 0},
	{STATUS_NONE, FULFILMENT_CANCELED, EVENT_TOMBSTONE, "BS",
		"its order is canceled before order.paid was handled",
	{0}, 0},
	{FULFILMENT_CREATED, FULFILMENT_PICKING, EVENT_PICK, "W",
		"the warehouse picks",
	{0}, 0},
	{FULFILMENT_PICKING, FULFILMENT_LABELLED, EVENT_LABEL, "W",
		"picked; logistic order made",
	{0}, 0},
	{FULFILMENT_LABELLED, FULFILMENT_OUT, EVENT_OUT, "W",
		"out of the warehouse; both documents done",
	{0}, 0},
	{FULFILMENT_CREATED, FULFILMENT_CANCELED, EVENT_ABANDON, "BS",
		"our own warehouse; documents canceled",
	{0}, 0},
	{FULFILMENT_LABELLED, FULFILMENT_CANCELED, EVENT_ABANDON, "BS",
		"our own warehouse; documents canceled",
	{0}, 0},
	{FULFILMENT_CREATED, FULFILMENT_CANCEL_REQUESTED, EVENT_REQUEST_CANCEL, "BS",
		"an external warehouse that has not refused",
	{0}, 0},
	{FULFILMENT_LABELLED, FULFILMENT_CANCEL_REQUESTED, EVENT_REQUEST_CANCEL, "BS",
		"an external warehouse that has not refused",
	{0}, 0},
	{FULFILMENT_CANCEL_REQUESTED, FULFILMENT_CANCELED, EVENT_ACCEPT_CANCEL, "W",
		"documents canceled",
	{0}, 0},
	{FULFILMENT_CANCEL_REQUESTED, FULFILMENT_CREATED, EVENT_REJECT_CANCEL, "W",
		"back to where it was",
	{0}, 0},
	{FULFILMENT_CANCEL_REQUESTED, FULFILMENT_LABELLED, EVENT_REJECT_CANCEL, "W",
		"back to where it was",
	{0}, 0},
	{STATUS_NONE, FULFILMENT_CREATED, EVENT_IMPORT, "S",
		"of an order of another system",
	{0}, 0},
	{STATUS_NONE, FULFILMENT_LABELLED, EVENT_IMPORT, "S",
		"of an order of another system, both documents made",
	{0}, 0},
	{STATUS_NONE, FULFILMENT_OUT, EVENT_IMPORT, "S",
		"of an order of another system that has left",
	{0}, 0},
	{0}
};

static const MachineTable tables[] = {
	{MACHINE_ORDER, "order", order_statuses, order_edges},
	{MACHINE_PAYMENT, "payment", payment_statuses, payment_edges},
	{MACHINE_AFTER_SALE, "after_sale", after_sale_statuses, after_sale_edges},
	{MACHINE_RETURN, "return", return_statuses, return_edges},
	{MACHINE_REFUND, "refund", refund_statuses, refund_edges},
	{MACHINE_COUPON, "coupon", coupon_statuses, coupon_edges},
	{MACHINE_FULFILMENT, "fulfilment", fulfilment_statuses, fulfilment_edges}
};

const MachineTable *
machine_tables(int *n)
{
	*n = lengthof(tables);
	return tables;
}

const MachineTable *
machine_table(Machine machine)
{
	return &tables[machine - MACHINE_ORDER];
}

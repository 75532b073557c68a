/*
 * codes.h
 *		Names for the numbers that stand for statuses, kinds and causes in rows.
 *
 * They are macros, so that SQL texts in C are built from the same names: see CODE() and CODES()
 * in core/spi_util.h. Their names in SQL are in codes.c, those of statuses in status_names.c.
 */
#ifndef ORDER_EXT_MACHINE_BASE_CODES_H
#define ORDER_EXT_MACHINE_BASE_CODES_H

#include "postgres.h"

#include "core/spi_util.h"

/* ---- machines and their statuses ---- */

typedef int16 Machine;

#define MACHINE_ORDER		1
#define MACHINE_PAYMENT		2
#define MACHINE_AFTER_SALE	3
#define MACHINE_RETURN		4
#define MACHINE_REFUND		5
#define MACHINE_COUPON		6
#define MACHINE_FULFILMENT	7

/* "Does not exist yet", the from-status of a creation; for display it is NULL. */
#define STATUS_NONE (-1)

typedef int16 OrderStatus;

#define ORDER_CREATED		10
#define ORDER_PAID			20
#define ORDER_FULFILLING	30
#define ORDER_OUT_STOCK		40
#define ORDER_DELIVERING	50
#define ORDER_SIGNED		60
#define ORDER_CANCELED		70
#define ORDER_REFUSED		100
#define ORDER_INVALID		127

typedef int16 PaymentStatus;

#define PAYMENT_INITIATED	10
#define PAYMENT_CAPTURED	20
#define PAYMENT_CLOSED		30
#define PAYMENT_FAILED		40

typedef int16 AfterSaleStatus;

#define AFTER_SALE_APPLIED		10
#define AFTER_SALE_APPROVED		20
#define AFTER_SALE_REJECTED		30
#define AFTER_SALE_REFUNDING	40
#define AFTER_SALE_REFUNDED		50
#define AFTER_SALE_FAILED		60
#define AFTER_SALE_CLOSED		70
#define AFTER_SALE_REOPENED		100
#define AFTER_SALE_REVOKED		127

typedef int16 ReturnStatus;

#define RETURN_AWAITING		0
#define RETURN_TO_SEND		10
#define RETURN_IN_TRANSIT	20
#define RETURN_RECEIVED		30
#define RETURN_PARTLY		35
#define RETURN_INSPECTED	40
#define RETURN_DAMAGED		50

typedef int16 RefundStatus;

#define REFUND_REQUESTED	10
#define REFUND_SUBMITTED	15
#define REFUND_SUCCEEDED	20
#define REFUND_FAILED		30
#define REFUND_WITHDRAWN	40

typedef int16 CouponStatus;

#define COUPON_UNUSED	0
#define COUPON_LOCKED	1
#define COUPON_USED		2
#define COUPON_EXPIRED	3

typedef int16 FulfilmentStatus;

#define FULFILMENT_CREATED			10
#define FULFILMENT_PICKING			20
#define FULFILMENT_LABELLED			30
#define FULFILMENT_OUT				40
#define FULFILMENT_CANCEL_REQUESTED	60
#define FULFILMENT_CANCELED			70

/*
 * Sets of statuses, for IN () in SQL texts. For a new status, decide for each set whether it
 * belongs there. "Paid" orders have been paid for and proceed, the goods of those "out" have
 * left, those "over" can no longer be paid; the pieces of "given up" after-sales can be applied
 * for again.
 */
#define ORDERS_PAID \
	CODES(ORDER_PAID, ORDER_FULFILLING, ORDER_OUT_STOCK, ORDER_DELIVERING, ORDER_SIGNED, \
		  ORDER_REFUSED)
#define ORDERS_NOT_OUT CODES(ORDER_CREATED, ORDER_PAID, ORDER_FULFILLING)
#define ORDERS_OUT CODES(ORDER_OUT_STOCK, ORDER_DELIVERING, ORDER_SIGNED, ORDER_REFUSED)
#define ORDERS_OVER CODES(ORDER_CANCELED, ORDER_REFUSED, ORDER_INVALID)
#define AFTER_SALES_GIVEN_UP CODES(AFTER_SALE_REJECTED, AFTER_SALE_CLOSED, AFTER_SALE_REVOKED)
/* Where goods may still come back, and damaged ones wait for a decision. */
#define AFTER_SALES_APPROVED CODES(AFTER_SALE_APPROVED, AFTER_SALE_REFUNDING, AFTER_SALE_FAILED)
#define REFUNDS_OPEN CODES(REFUND_REQUESTED, REFUND_SUBMITTED)
/*
 * What index refunds_open covers, in the same words: a plain condition on the status would make
 * the planner take that index, which is all open refunds, for those that are read by their ids.
 */
#define REFUND_IS_OPEN "CASE WHEN r.status IN (" REFUNDS_OPEN ") THEN true ELSE false END"
#define REFUNDS_LIVE CODES(REFUND_REQUESTED, REFUND_SUBMITTED, REFUND_SUCCEEDED)
#define REFUNDS_NOT_WITHDRAWN \
	CODES(REFUND_REQUESTED, REFUND_SUBMITTED, REFUND_SUCCEEDED, REFUND_FAILED)
#define COUPONS_HELD CODES(COUPON_LOCKED, COUPON_USED)

/* ---- orders and their goods ---- */

/* Kinds of products; virtual ones cannot be sent back. */
#define KIND_NORMAL		1
#define KIND_VIRTUAL	2

typedef int16 CancelType;

#define CANCEL_BY_USER				0
#define CANCEL_BY_TIMEOUT			1
#define CANCEL_BY_CUSTOMER_SERVICE	2

/* The state of the pieces that an order's line holds. */
typedef int16 Reservation;

#define RESERVATION_NONE		0
#define RESERVATION_OPEN		1
#define RESERVATION_CONSUMED	2
#define RESERVATION_RELEASED	3

/* Movements of stock. */
typedef int16 LedgerKind;

#define LEDGER_RESERVE		1
#define LEDGER_RELEASE		2
#define LEDGER_CONSUME		3
#define LEDGER_ADJUST		4
#define LEDGER_RETURN		5
#define LEDGER_WRITE_OFF	6
#define LEDGER_ARCHIVE		7	/* the sum of those of archived orders */

/* The effects of an order on the stock, and of goods that come back, for IN () in SQL texts. */
#define LEDGER_RESERVATIONS CODES(LEDGER_RESERVE, LEDGER_RELEASE, LEDGER_CONSUME)
#define LEDGER_BACK CODES(LEDGER_RETURN, LEDGER_WRITE_OFF)

/* ---- payments and refunds ---- */

/* What a captured amount was for. */
typedef int16 PaymentPurpose;

#define PURPOSE_APPLIED		1
#define PURPOSE_LATE		2
#define PURPOSE_SURPLUS		3
#define PURPOSE_HELD		4
#define PURPOSE_UNMATCHED	5
#define PURPOSE_DUPLICATE	6	/* tells of money that another capture tells of */

/* Money that is paid back when its order is canceled, for IN () in SQL texts. */
#define PURPOSES_OF_ORDER CODES(PURPOSE_APPLIED, PURPOSE_HELD)

/* Why money is paid back. */
typedef int16 RefundCause;

#define CAUSE_CANCEL		1
#define CAUSE_LATE			2
#define CAUSE_SURPLUS		3
#define CAUSE_HELD			4
#define CAUSE_UNMATCHED		5
#define CAUSE_AFTER_SALE	6
#define CAUSE_RECORDED		7	/* made outside, at the gateway */
#define CAUSE_DISPUTE		8	/* taken back by the buyer's bank */

/* Refunds that are facts from outside. */
#define CAUSES_OUTSIDE CODES(CAUSE_RECORDED, CAUSE_DISPUTE)

typedef int16 DisputeStatus;

#define DISPUTE_OPENED	10
#define DISPUTE_WON		20
#define DISPUTE_LOST	30

/* What gateways tell of money that went back outside. */
typedef int16 MoneyFactKind;

#define MONEY_FACT_REFUND			1
#define MONEY_FACT_DISPUTE_OPENED	2
#define MONEY_FACT_DISPUTE_WON		3
#define MONEY_FACT_DISPUTE_LOST		4

/* ---- fulfilment ---- */

/* The kinds and statuses of fulfilment_documents. */
#define DELIVERY_ORDER		1
#define LOGISTIC_ORDER		2
#define DOCUMENT_OPEN		10
#define DOCUMENT_DONE		40
#define DOCUMENT_CANCELED	70

/* The call that reported it; each has its own event ids. */
typedef int16 ShipmentSource;

#define SOURCE_SHIPMENT			1
#define SOURCE_CANCEL_RESULT	2

/* In the order in which they occur to a parcel. */
typedef int16 ShipmentKind;

#define SHIPMENT_PICKED				1
#define SHIPMENT_OUT_STOCK			2
#define SHIPMENT_DELIVERING			3
#define SHIPMENT_SIGNED				4
#define SHIPMENT_REFUSED			5
#define SHIPMENT_LOST				6
#define SHIPMENT_RETURNED			7
#define SHIPMENT_CANCEL_ACCEPTED	11
#define SHIPMENT_CANCEL_REJECTED	12

/* Its outcome. */
typedef int16 ShipmentState;

#define SHIPMENT_APPLIED	10
#define SHIPMENT_PARKED		20
#define SHIPMENT_HELD		30	/* waits for staff; an alert was sent */
#define SHIPMENT_BEHIND		40	/* the order was already past it */
#define SHIPMENT_NO_EFFECT	50

/* ---- after-sales ---- */

typedef int16 AfterSaleType;

#define AFTER_SALE_REFUND_ONLY		1
#define AFTER_SALE_RETURN_REFUND	2
#define AFTER_SALE_GOODWILL			3	/* decided by staff, without an application */

typedef int16 AfterSaleDetailType;

#define DETAIL_ALL			1
#define DETAIL_TIMEOUT		2
#define DETAIL_USER_CANCEL	3
#define DETAIL_STAFF_CANCEL	4
#define DETAIL_PART			5
#define DETAIL_SHORTAGE		6

typedef int16 AfterSaleSource;

#define SOURCE_USER_REFUND		10
#define SOURCE_SYSTEM			20
#define SOURCE_CUSTOMER_SERVICE	30
#define SOURCE_USER_RETURN		40
#define SOURCE_FULFILMENT		50

typedef int16 AfterSaleReason;

#define REASON_NUMBER		10
#define REASON_QUALITY		20
#define REASON_PACKAGE		30
#define REASON_LOGISTICS	40
#define REASON_COURIER		50
#define REASON_USER			60
#define REASON_PRICE		70
#define REASON_CANCEL		80
#define REASON_FORCED		90
#define REASON_REFUSED		100
#define REASON_OTHER		200

/* What opened an after-sale that nobody applied for; of shortages and goodwill, with a number. */
#define AFTER_SALE_ORIGIN_CANCEL	"cancel"
#define AFTER_SALE_ORIGIN_REFUSED	"refused"
#define AFTER_SALE_ORIGIN_LOST		"lost"
#define AFTER_SALE_ORIGIN_SHORTAGE	"shortage:"
#define AFTER_SALE_ORIGIN_GOODWILL	"goodwill:"

#define NO_RETURN (-1)			/* return_status of a refund without goods */

/* Facts about the goods of a return. */
typedef int16 ReturnFactKind;

#define RETURN_FACT_SHIPMENT	1
#define RETURN_FACT_RECEIPT		2
#define RETURN_FACT_RESOLVED	3

/* ---- names ---- */

/* Codes with their names; those of the statuses are in status_names.h. */
typedef struct CodeName
{
	int16		code;
	const char *name;
} CodeName;

typedef enum CodeSet
{
	CODES_PRODUCT_KIND,
	CODES_CANCEL_TYPE,
	CODES_RESERVATION,
	CODES_LEDGER_KIND,
	CODES_PAYMENT_PURPOSE,
	CODES_REFUND_CAUSE,
	CODES_DISPUTE_STATUS,
	CODES_MONEY_FACT,
	CODES_DOCUMENT_KIND,
	CODES_SHIPMENT_KIND,
	CODES_SHIPMENT_STATE,
	CODES_AFTER_SALE_TYPE,
	CODES_AFTER_SALE_DETAIL,
	CODES_AFTER_SALE_SOURCE,
	CODES_AFTER_SALE_REASON,
	CODES_RETURN_FACT,
	CODE_SETS
} CodeSet;

/* The name of a code; NULL if the set has no such code. */
extern const char *code_name(CodeSet set, int16 code);

/* The codes of a set, ended by one without a name; *name is what codes() calls the set. */
extern const CodeName *codes_of_set(CodeSet set, const char **name);

#endif							/* ORDER_EXT_MACHINE_BASE_CODES_H */

/*
 * money_sums.h
 *		What sums (sums.h) tell of captures, their orders and their refunds.
 */
#ifndef ORDER_EXT_VERIFY_MONEY_SUMS_H
#define ORDER_EXT_VERIFY_MONEY_SUMS_H

#include "api/verify/refunds.h"
#include "api/verify/sums.h"
#include "core/arg_codes.h"

#define PAID_ORDERS \
	"(status IN (" ORDERS_PAID ") OR (status <> " CODE(ORDER_CREATED) " AND paid))"
#define APPLIED_CAPTURES \
	"status = " CODE(PAYMENT_CAPTURED) " AND purpose = " CODE(PURPOSE_APPLIED)

/* Each order that was paid has an applied capture, and each applied capture has its order. */
#define CAPTURES_HAVE_ORDERS \
	SUM_OF("orders", "payments_sums", APPLIED_CAPTURES) \
	" = " SUM_OF("orders", "orders_sums", PAID_ORDERS)

/* ... of what the order costs. */
#define CAPTURES_ARE_EXACT \
	SUM_OF("amount", "payments_sums", APPLIED_CAPTURES) \
	" = " SUM_OF("pay", "orders_sums", PAID_ORDERS)

/*
 * All that was captured for canceled orders goes back: each of these has one capture, of what it
 * costs, and those that go back add up to the same. So do late, surplus and held ones.
 */
#define OTHER_PURPOSES "purpose IN (" CODES(PURPOSE_LATE, PURPOSE_SURPLUS, PURPOSE_HELD) ")"
#define CAPTURES_ARE_BACK \
	CAPTURES_HAVE_ORDERS " AND " CAPTURES_ARE_EXACT " AND " REFUNDS_FIT \
	" AND " SUM_OF("pay", "orders_sums", "status = " CODE(ORDER_CANCELED) " AND paid") \
	"  = " SUM_OF("amount", "refunds_sums", \
				  "purpose = " CODE(PURPOSE_APPLIED) " AND canceled AND whole") \
	" AND " SUM_OF("amount", "payments_sums", \
				   "status = " CODE(PAYMENT_CAPTURED) " AND " OTHER_PURPOSES) \
	"  = " SUM_OF("amount", "refunds_sums", OTHER_PURPOSES " AND whole")

#endif							/* ORDER_EXT_VERIFY_MONEY_SUMS_H */

/*
 * errors.h
 *		The SQLSTATE class OE of order_ext, one macro per code of the API contract; and the error
 *		that several modules have in common.
 */
#ifndef ORDER_EXT_ERRORS_H
#define ORDER_EXT_ERRORS_H

#include "compat.h"

#define ERRCODE_OE(a, b, c)			MAKE_SQLSTATE('O', 'E', a, b, c)

#define ERRCODE_OE_NOT_FOUND			ERRCODE_OE('0', '0', '1')
#define ERRCODE_OE_PRICE_DIFFERS		ERRCODE_OE('0', '0', '2')
#define ERRCODE_OE_NOT_OWNER			ERRCODE_OE('0', '0', '3')
#define ERRCODE_OE_RISK_REFUSED			ERRCODE_OE('0', '0', '4')
#define ERRCODE_OE_NO_PRICE				ERRCODE_OE('0', '0', '5')
#define ERRCODE_OE_NO_FREIGHT			ERRCODE_OE('0', '0', '6')
#define ERRCODE_OE_PRICE_REFUSED		ERRCODE_OE('0', '0', '7')
#define ERRCODE_OE_WRONG_STATUS			ERRCODE_OE('1', '0', '1')
#define ERRCODE_OE_CANNOT_CANCEL		ERRCODE_OE('1', '0', '3')
#define ERRCODE_OE_BUSY					ERRCODE_OE('1', '1', '0')
#define ERRCODE_OE_STOCK_SHORT			ERRCODE_OE('2', '0', '1')
#define ERRCODE_OE_COUPON_UNUSABLE		ERRCODE_OE('2', '0', '2')
#define ERRCODE_OE_COUPON_TAKEN			ERRCODE_OE('2', '0', '3')
#define ERRCODE_OE_AMOUNT_DIFFERS		ERRCODE_OE('3', '0', '1')
#define ERRCODE_OE_DEADLINE_PASSED		ERRCODE_OE('3', '0', '2')
#define ERRCODE_OE_INTERCEPT_REFUSED	ERRCODE_OE('4', '0', '1')
#define ERRCODE_OE_QUANTITY_EXCEEDS		ERRCODE_OE('5', '0', '1')
#define ERRCODE_OE_NOT_REVIEWABLE		ERRCODE_OE('5', '0', '3')
#define ERRCODE_OE_REQUEST_REUSED		ERRCODE_OE('6', '0', '1')
#define ERRCODE_OE_UNKNOWN_TOPIC		ERRCODE_OE('7', '0', '1')
#define ERRCODE_OE_LEASE_LOST			ERRCODE_OE('7', '0', '2')
#define ERRCODE_OE_BACKPRESSURE			ERRCODE_OE('7', '0', '3')
#define ERRCODE_OE_HANDLER_DELAY		ERRCODE_OE('8', '0', '1')
#define ERRCODE_OE_HANDLER_DISCARD		ERRCODE_OE('8', '0', '2')
#define ERRCODE_OE_HANDLER_DEAD			ERRCODE_OE('8', '0', '3')
#define ERRCODE_OE_INVARIANT			ERRCODE_OE('9', '0', '1')

/*
 * Raise 40001: another transaction has already done what this one was about to do, as the message
 * says (printf format). The transaction can be retried.
 */
pg_noreturn extern void error_conflict(const char *format,...) pg_attribute_printf(1, 2);

#endif							/* ORDER_EXT_ERRORS_H */

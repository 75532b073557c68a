/*
 * fake_gateway.h
 *		A payment gateway for tests: its books are a file, and it moves money once per
 *		refund id, however often it is asked.
 */
#ifndef FAKE_GATEWAY_H
#define FAKE_GATEWAY_H

typedef enum GatewayAnswer
{
	GATEWAY_SUCCEEDED,
	GATEWAY_FAILED,				/* for certain: no money has moved */
	GATEWAY_PENDING,
	GATEWAY_NO_ANSWER			/* whatever it did, we do not know */
} GatewayAnswer;

/*
 * Ask for a refund of the payment trade_no, whose total is to be told with it, as some gateways
 * want it. The books get a line "refund_id amount trade_no total" when the money moves. Another
 * total than before, or more than it in all, ends the program.
 * trouble is the percentage of calls that end otherwise than well: refused, pending, or
 * with the answer lost, before or after the money has moved.
 */
extern GatewayAnswer gateway_refund(const char *books, const char *refund_id, const char *amount,
									const char *total, const char *trade_no, int trouble);

#endif							/* FAKE_GATEWAY_H */

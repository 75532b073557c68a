/*
 * money_fact.h
 *		Facts that gateways tell of money that went back outside of the engine, or may go: refunds
 *		made in their dashboards, and disputes.
 */
#ifndef ORDER_EXT_MACHINE_GATEWAY_MONEY_FACT_H
#define ORDER_EXT_MACHINE_GATEWAY_MONEY_FACT_H

#include "machine/base/journal.h"

typedef struct MoneyFact
{
	MoneyFactKind kind;
	int64		order_id;
	int64		payment_id;		/* 0: not known */
	int64		refund_id;		/* 0: none */
	int64		amount;
	bool		has_amount;
	TimestampTz occurred_at;
	const char *pay_type;
	const char *out_trade_no;
	const char *number;			/* of the refund or dispute */
	Jsonb	   *raw;			/* or NULL */
} MoneyFact;

/* Facts about the same refund or dispute wait for each other. */
extern void money_fact_lock(const MoneyFact *fact);

/*
 * The refund, payment and amount of the fact of this kind and number that had its effect; false if
 * none had.
 */
extern bool money_fact_applied(const MoneyFact *fact, MoneyFact *applied);

/* The refund that an answer of the gateway under this number was about; 0 if there is none. */
extern int64 money_fact_told(const MoneyFact *fact);

/* Whether a refund with this number was made outside. */
extern bool money_fact_is_recorded(const char *pay_type, const char *gateway_refund_no);

/* Store a fact that has its effect, under an id that was reserved before. */
extern int64 money_fact_reserve(void);
extern void money_fact_record(const MoneyFact *fact, int64 fact_id, TimestampTz at);

/* Store a fact that waits for staff, and alert, once. user_id and version of its order, or 0. */
extern void money_fact_hold(Journal *journal, const MoneyFact *fact, const char *reason,
							int64 user_id, int32 version);

#endif							/* ORDER_EXT_MACHINE_GATEWAY_MONEY_FACT_H */

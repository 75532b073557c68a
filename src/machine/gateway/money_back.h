/*
 * money_back.h
 *		Money that went back outside of the engine: refunds made at the gateway, and what a lost
 *		dispute took. Everything here runs under the refund lock of the payment's order.
 *
 * A refund that nobody has claimed gives way to them, so that nothing is paid twice; a claimed one
 * is under way and stays.
 */
#ifndef ORDER_EXT_MACHINE_GATEWAY_MONEY_BACK_H
#define ORDER_EXT_MACHINE_GATEWAY_MONEY_BACK_H

#include "machine/gateway/money_fact.h"
#include "machine/payment/payment.h"

/*
 * A refund that was made outside takes its amount, which is left, from the payment: open refunds
 * that nobody has claimed are reduced or withdrawn by as much, and that part of their after-sales
 * counts as paid. Returns the refund that stands for it.
 */
extern int64 money_back_recorded(Journal *journal, const Payment *payment, const MoneyFact *fact,
								 int64 fact_id);

/*
 * A lost dispute takes its amount, which is left, from the payment: open refunds that nobody has
 * claimed and that no longer fit are withdrawn, the newest first; those of all that was left are
 * reduced to what is left. Returns the refund that stands for it.
 */
extern int64 money_back_lost(Journal *journal, const Payment *payment, const MoneyFact *fact,
							 int64 fact_id);

/*
 * More has gone back than the open refunds of a payment allow for: as money_back_lost() withdraws
 * them; why is the reason of the refunds, the sentence that of their after-sales.
 */
extern void money_back_withdraw_excess(Journal *journal, int64 payment_id, const char *why,
									   const char *sentence);

/*
 * A refund of the after-sale that was withdrawn has been paid all the same: its paid_outside is no
 * more than what its refunds leave.
 */
extern void money_back_paid_after_all(int64 after_sale_id);

#endif							/* ORDER_EXT_MACHINE_GATEWAY_MONEY_BACK_H */

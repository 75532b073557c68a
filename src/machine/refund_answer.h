/*
 * refund_answer.h
 *		What becomes of what a gateway says about a refund: the one place that decides,
 *		for refund_callback() and for gateways in the database.
 */
#ifndef ORDER_EXT_MACHINE_REFUND_ANSWER_H
#define ORDER_EXT_MACHINE_REFUND_ANSWER_H

#include "machine/refund.h"

typedef enum RefundOutcome
{
	OUTCOME_SUCCEEDED,
	OUTCOME_FAILED,
	OUTCOME_PENDING				/* and everything else that is not final */
} RefundOutcome;

/* The words of the outcomes, NULL-terminated, in their order. */
extern const char *const refund_outcomes[];

typedef struct RefundAnswer
{
	RefundOutcome outcome;
	int64		amount;
	bool		has_amount;
	RefundWords words;
} RefundAnswer;

/*
 * Take an answer, under the refund lock of the order. Returns the disposition:
 *
 *	status		succeeded	failed		pending
 *	requested	applied		applied		noop
 *	submitted	applied		applied		noop (the lease goes on)
 *	succeeded	replayed	held, -> failed	noop
 *	failed		applied		replayed	noop
 *	withdrawn	held		noop		noop
 *
 * Held whatever the status, with nothing changed: another amount than the refund's; a
 * second success under another number of the gateway. Held, and taken: the success of a
 * refund whose after-sale was given up meanwhile. Every held fact is kept and alerts
 * once; *why says the reason (else NULL). The row given is brought up to date.
 */
extern const char *refund_answer(Journal *journal, Refund *refund, const RefundAnswer *answer,
								 const char **why);

/* Keep an answer about a refund that does not exist, and alert: held. */
extern void refund_answer_unknown(Journal *journal, int64 refund_id, const RefundAnswer *answer);

#endif							/* ORDER_EXT_MACHINE_REFUND_ANSWER_H */

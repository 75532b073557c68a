/*
 * refund_answer.h
 *		What to do with a gateway's answer about a refund: the single place that decides, for
 *		refund_callback() and for gateways in the database.
 */
#ifndef ORDER_EXT_MACHINE_GATEWAY_REFUND_ANSWER_H
#define ORDER_EXT_MACHINE_GATEWAY_REFUND_ANSWER_H

#include "machine/refund/refund.h"

typedef enum RefundOutcome
{
	OUTCOME_SUCCEEDED,
	OUTCOME_FAILED,
	OUTCOME_PENDING				/* and any other answer that is not final */
} RefundOutcome;

/* The names of the outcomes, NULL-terminated, in their order. */
extern const char *const refund_outcomes[];

typedef struct RefundAnswer
{
	RefundOutcome outcome;
	int64		amount;
	bool		has_amount;
	RefundWords words;
} RefundAnswer;

/*
 * Process an answer, under the refund lock of the order. Returns the disposition:
 *
 *	status		succeeded	failed		pending
 *	requested	applied		applied		noop
 *	submitted	applied		applied		noop (the lease continues)
 *	succeeded	replayed	held, -> failed	noop
 *	failed		applied		replayed	noop
 *	withdrawn	held		noop		noop
 *
 * A success under a number that record_refund() has reported is held, too, or noop if withdrawn.
 * Held in any status, with nothing changed: an amount other than the refund's; a second success
 * with another gateway refund number. Held and applied: the success of a refund whose after-sale
 * has been given up. Every held fact is stored and alerts once; *why is the reason (otherwise
 * NULL). The given row is updated.
 */
extern const char *refund_answer(Journal *journal, Refund *refund, const RefundAnswer *answer,
								 const char **why);

/* Store an answer about a refund that does not exist, and alert: held. */
extern const char *refund_answer_unknown(Journal *journal, int64 refund_id,
										 const RefundAnswer *answer);

#endif							/* ORDER_EXT_MACHINE_GATEWAY_REFUND_ANSWER_H */

/*
 * refund_execute.c
 *		refund.execute: executing requested refunds.
 *
 * refund.execute handles refunds of pay types with a gateway in the database; all others wait for
 * claim_refunds(). The built-in group serves the sandbox, and each gateway of the application has
 * its own group (machine/gateway/gateways.h). It takes two transactions: the first claims the
 * refund and publishes a second message, phase "call"; only after the claim has committed, the
 * second calls the gateway and records its answer. A server that crashes in between leaves a
 * submitted refund and the message: the gateway is called again with the same refund id. A timer
 * reclaims refunds without a final answer when their lease expires.
 */
#include "compat.h"

#include "access/xact.h"
#include "miscadmin.h"

#include "core/jsonb_build.h"
#include "core/locks.h"
#include "core/spelling.h"
#include "handlers/batch.h"
#include "handlers/gateway.h"
#include "handlers/refund_execute.h"
#include "machine/after_sale/refunds.h"
#include "machine/gateway/gateways.h"
#include "machine/gateway/refund_answer.h"
#include "machine/order/coupon.h"

/* The first lease; it doubles with every attempt. A call in progress holds the lock anyway. */
#define FIRST_LEASE (3 * USECS_PER_SEC)

/* ---- refund.execute, first step: claim ---- */

/* The gateway is called after this transaction, and with it the claim, has committed. */
static void
publish_calls(const Refund *refunds, int n)
{
	MessageDraft *drafts = palloc(sizeof(MessageDraft) * n);
	int			i;

	for (i = 0; i < n; i++)
	{
		drafts[i].topic_id = TOPIC_REFUND_EXECUTE;
		drafts[i].key = refunds[i].order_id;
		drafts[i].payload = refund_execute_payload(&refunds[i], "call");
	}
	message_publish_for_later(drafts, n);
}

static void
arm_leases(const Refund *refunds, int n)
{
	int			i;

	for (i = 0; i < n; i++)
	{
		(void) timer_arm(TOPIC_REFUND_EXECUTE, refunds[i].order_id, refunds[i].lease_until,
						 TIMER_UNBOUND, refund_execute_payload(&refunds[i], NULL));
	}
}

/*
 * The gateway of the pay type was set while an external worker held the refund. If that worker
 * gives no final answer, no other external worker can claim it: it is ours once the lease
 * expires.
 */
static void
wait_for_external_workers(const int64 *refund_ids, int n)
{
	Refund	   *refunds = refunds_read_claimed_outside(refund_ids, n, GetCurrentTimestamp(), &n);

	arm_leases(refunds, n);
}

static void
claim(const int64 *refund_ids, int n)
{
	const RefundClaim how = {
		.worker = REFUND_WORKER_NAME,
		.lease = FIRST_LEASE,
		.in_database = true,
		.backoff = true
	};
	Journal    *journal;
	Refund	   *refunds;

	if (n == 0)
		return;
	wait_for_external_workers(refund_ids, n);
	journal = journal_begin(GetCurrentTimestamp());
	refunds = refunds_claim(journal, refund_ids, n, &how, &n);
	after_sales_follow_refunds(journal, refunds, n, ACTOR_SYSTEM);
	journal_write(journal);
	if (n == 0)
		return;
	publish_calls(refunds, n);
	arm_leases(refunds, n);
}

/* ---- refund.execute, second step: call and record ---- */

/* An unknown word, no answer and an error all leave the outcome unknown. */
static void
call_and_record(Journal *journal, Handler *gateway, const Message *message, Refund *refund)
{
	RefundAnswer answer = {.outcome = OUTCOME_PENDING};
	char	   *error;
	char	   *word = gateway_call(gateway, message, refund, &error);
	const char *why;
	int			i;

	answer.words.outcome = word != NULL ? word : error != NULL ? error : "no answer";
	for (i = 0; word != NULL && refund_outcomes[i] != NULL; i++)
	{
		if (strcmp(word, refund_outcomes[i]) == 0)
			answer.outcome = (RefundOutcome) i;
	}
	(void) refund_answer(journal, refund, &answer, &why);
}

/* The last message for the refund. */
static const Message *
message_of(const Refund *refund, const int64 *refund_ids, Message **messages, int n)
{
	int			i = n - 1;

	while (i > 0 && refund_ids[i] != refund->refund_id)
		i--;
	return messages[i];
}

static void
mark_busy(const Refund *refund, const int64 *refund_ids, Message **messages, int n)
{
	int			i;

	for (i = 0; i < n; i++)
	{
		if (refund_ids[i] == refund->refund_id)
			messages[i]->outcome = MESSAGE_BUSY;
	}
}

static void
call_gateway(Handler *gateway, const int64 *refund_ids, Message **messages, int n)
{
	Refund	   *refunds;
	Journal    *journal;
	uint64		xid = U64FromFullTransactionId(GetTopFullTransactionId());
	int			n_refunds;
	int			i;

	if (n == 0)
		return;
	refunds = refunds_read_submitted(refund_ids, n, &n_refunds);
	journal = journal_begin(GetCurrentTimestamp());
	for (i = 0; i < n_refunds; i++)
	{
		CHECK_FOR_INTERRUPTS();
		/* claimed in this very transaction: never call before the commit */
		if (refunds[i].claim_xid == xid)
			mark_busy(&refunds[i], refund_ids, messages, n);
		else
			call_and_record(journal, gateway, message_of(&refunds[i], refund_ids, messages, n),
							&refunds[i]);
	}
	journal_write(journal);
}

/* The messages about refunds of the pay type whose locks were taken; the others are marked busy. */
static int
lock_of_pay_type(const char *pay_type, Message *messages, int n, Message **locked)
{
	int64	   *keys = palloc(sizeof(int64) * n);
	bool	   *busy = palloc(sizeof(bool) * n);
	int			n_found = 0;
	int			n_locked = 0;
	int			i;

	for (i = 0; i < n; i++)
	{
		char	   *of_pay_type = jsonb_get_text(messages[i].payload, "pay_type");

		/* messages from before 0.6 may spell it otherwise */
		if (of_pay_type == NULL || (strcmp(of_pay_type, pay_type) != 0 &&
									strcmp(spelling_code(of_pay_type), pay_type) != 0) ||
			jsonb_get_id(messages[i].payload, "refund_id") == 0)
			continue;
		locked[n_found] = &messages[i];
		keys[n_found++] = messages[i].key;
	}
	(void) lock_try_all(LOCK_REFUND, keys, n_found, busy);
	for (i = 0; i < n_found; i++)
	{
		if (busy[i])
			locked[i]->outcome = MESSAGE_BUSY;
		else
			locked[n_locked++] = locked[i];
	}
	return n_locked;
}

/* The answer may be the last one of its order, whose coupon is then returned. */
static int
lock_coupons_of(int64 *refund_ids, Message **messages, int n)
{
	int64	   *orders = palloc(sizeof(int64) * Max(n, 1));
	bool	   *busy = palloc0(sizeof(bool) * Max(n, 1));
	int			n_locked = 0;
	int			i;

	for (i = 0; i < n; i++)
		orders[i] = messages[i]->key;
	if (n > 0)
		coupons_lock_used(orders, n, busy);
	for (i = 0; i < n; i++)
	{
		if (busy[i])
			messages[i]->outcome = MESSAGE_BUSY;
		else
		{
			refund_ids[n_locked] = refund_ids[i];
			messages[n_locked++] = messages[i];
		}
	}
	return n_locked;
}

/* Process the messages about refunds of the pay type; gateway is NULL for the sandbox. */
static void
execute(const char *pay_type, Handler *gateway, Message *messages, int n)
{
	Message   **locked = palloc(sizeof(Message *) * n);
	int			n_locked = lock_of_pay_type(pay_type, messages, n, locked);
	int64	   *to_claim = palloc(sizeof(int64) * n);
	int64	   *to_call = palloc(sizeof(int64) * n);
	int			n_claim = 0;
	int			n_call = 0;
	int			i;

	for (i = 0; i < n_locked; i++)
	{
		int64		refund_id = jsonb_get_id(locked[i]->payload, "refund_id");

		if (jsonb_get_text(locked[i]->payload, "phase") == NULL)
			to_claim[n_claim++] = refund_id;
		else
		{
			locked[n_call] = locked[i];
			to_call[n_call++] = refund_id;
		}
	}
	n_call = lock_coupons_of(to_call, locked, n_call);
	call_gateway(gateway, to_call, locked, n_call);
	claim(to_claim, n_claim);
}

void
handle_refund_execute(Message *messages, int n)
{
	execute(SANDBOX_PAY_TYPE, NULL, messages, n);
}

void
handle_refund_gateway(Handler *gateway, Message *messages, int n)
{
	execute(gateway_pay_type(gateway->group->name), gateway, messages, n);
}

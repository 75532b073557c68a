/*
 * refund_prepare.c
 *		refund.prepare: after-sales and refunds for captured money of canceled orders.
 */
#include "compat.h"

#include "handlers/batch.h"
#include "handlers/refund_prepare.h"
#include "machine/cancel/after_sales.h"
#include "machine/cancel/money.h"
#include "machine/refund/request.h"

void
handle_refund_prepare(Message *messages, int n)
{
	int			n_locked;
	int64	   *locked = batch_lock(LOCK_REFUND, messages, n, &n_locked);
	int64	   *others = palloc(sizeof(int64) * Max(n_locked, 1));
	int			n_others;
	Journal    *journal;

	if (n_locked == 0)
		return;
	journal = journal_begin(GetCurrentTimestamp());
	n_others = cancel_money_return(journal, locked, n_locked, others);
	if (n_others > 0)
	{
		after_sales_open_for_canceled(journal, others, n_others);
		refunds_request_for_canceled(journal, others, n_others);
	}
	journal_write(journal);
}

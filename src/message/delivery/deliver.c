/*
 * deliver.c
 *		Passing messages to a group's handler; see deliver.h.
 */
#include "compat.h"

#include "access/xact.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/resowner.h"

#include "core/errors.h"
#include "message/base/limits.h"
#include "message/delivery/deliver.h"
#include "message/delivery/handler.h"
#include "message/delivery/parked.h"
#include "message/delivery/quarantine.h"
#include "message/log/capture.h"

/* ---- one by one ---- */

/*
 * Run one message in a subtransaction. Returns NULL if the handler returned, otherwise the
 * failure, after rolling back its effects.
 */
static Failure *
attempt(Handler *handler, Delivery *delivery, bool in_dispatch)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	Failure    *volatile failure = NULL;
	const LogAppended *ignored;
	int			appended = log_captured(&ignored);

	delivery->started_at = GetCurrentTimestamp();
	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		handler_run(handler, &delivery->message, 1);
		ReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = owner;
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		failure = failure_from_error(in_dispatch);
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = owner;
		log_capture_truncate(appended);
		delivery->message.outcome = MESSAGE_DONE;
	}
	PG_END_TRY();
	return failure;
}

/* A built-in handler has waited in vain for what somebody's open transaction holds. */
static bool
found_busy(const ConsumerGroup *group, const Failure *failure)
{
	return (group->builtin || group->adapted) &&
		(failure->sqlstate == ERRCODE_LOCK_NOT_AVAILABLE || failure->sqlstate == ERRCODE_OE_BUSY);
}

typedef enum Attempted
{
	ATTEMPT_FINISHED,			/* done with */
	ATTEMPT_BLOCKS,				/* it is now in retries or dead_messages */
	ATTEMPT_CONFLICT			/* to be run again in a transaction of its own */
} Attempted;

/*
 * Run a message and record its outcome. Conflicts are retried at once; since a conflict may be
 * caused by locks that earlier messages still hold in this transaction, a worker stops if there
 * were any, and commits them first.
 */
static Attempted
run_one(Pass *pass, const ConsumerGroup *group, Handler *handler, Delivery *delivery,
		bool others_before)
{
	Failure    *failure;
	int			conflicts = 0;

	CHECK_FOR_INTERRUPTS();
	while ((failure = attempt(handler, delivery, pass->in_dispatch)) != NULL &&
		   failure_is_conflict(failure))
	{
		if (pass->in_dispatch && IsolationUsesXactSnapshot())
			ereport(ERROR,
					(errcode(failure->sqlstate),
					 errmsg("%s", failure->message),
					 errhint("The transaction might succeed if retried.")));
		if (!pass->in_dispatch && others_before)
			return ATTEMPT_CONFLICT;
		if (++conflicts >= MAX_CONFLICTS)
			break;
	}
	pass->handled++;
	if (failure == NULL && delivery->message.outcome == MESSAGE_DONE)
	{
		delivery_done(group, delivery);
		return ATTEMPT_FINISHED;
	}
	if (failure == NULL || found_busy(group, failure))
	{
		delivery_busy(group, delivery, 0);
		pass->busy++;
	}
	else if (failure_is_conflict(failure))
		delivery_busy(group, delivery, 1000);
	else if (delivery_failed(group, delivery, failure))
		return ATTEMPT_FINISHED;
	return ATTEMPT_BLOCKS;
}

/* Run the first waiting message of the key next: make it a retry that is due at once. */
static void
release_first(const ConsumerGroup *group, int64 key)
{
	Delivery	next;
	int64		place = 0;

	if (parked_next(group, key, &place, &next))
		delivery_again(group, &next);
}

/*
 * A message of an ordered group has succeeded: run those waiting behind it, in order, until one
 * fails. If that is too much for one transaction, the next one becomes a retry that is due at
 * once; this also applies if a message runs alone because its transaction failed, so that those
 * behind it cannot make it fail, and while there are messages that may have crashed a worker,
 * which are recognized when they are taken.
 */
static void
release_key(Pass *pass, const ConsumerGroup *group, Handler *handler, int64 key)
{
	Delivery	next;
	int64		place = 0;

	while (parked_next(group, key, &place, &next))
	{
		pass->parked_bytes += VARSIZE(next.message.payload);
		if (handler->called || group->suspects || pass->handled >= pass->limit ||
			pass->parked_bytes > BATCH_BYTES ||
			run_one(pass, group, handler, &next, true) == ATTEMPT_CONFLICT)
		{
			delivery_again(group, &next);
			return;
		}
	}
}

/* Park or bury a delivery that must not be run. */
static void
put_away(Pass *pass, const ConsumerGroup *group, Delivery *delivery)
{
	if (delivery->fate == FATE_PARK)
	{
		parked_put(group, delivery);
		return;
	}
	delivery->started_at = GetCurrentTimestamp();
	delivery_buried(group, delivery, quarantine_failure());
	pass->handled++;
}

/* A buried message blocks its key: later messages of the key must not be run. */
static void
park_behind_buried(Delivery *deliveries, int n)
{
	int			i;

	for (i = 0; i < n; i++)
	{
		if (deliveries[i].fate == FATE_BURY)
			parked_mark_rest(deliveries, i, n);
	}
}

static int
deliver_isolated(Pass *pass, const ConsumerGroup *group, Handler *handler,
				 Delivery *deliveries, int n)
{
	TimestampTz until = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), BATCH_MS);
	int			i;

	for (i = 0; i < n; i++)
	{
		Delivery   *delivery = &deliveries[i];

		if (delivery->fate != FATE_RUN)
		{
			put_away(pass, group, &deliveries[i]);
			continue;
		}
		if (i > 0 && !pass->in_dispatch && GetCurrentTimestamp() > until)
			return i;
		switch (run_one(pass, group, handler, delivery, i > 0))
		{
			case ATTEMPT_CONFLICT:
				return i;
			case ATTEMPT_FINISHED:
				if (group->ordered && delivery->is_retry)
					release_key(pass, group, handler, delivery->message.key);
				break;
			case ATTEMPT_BLOCKS:
				if (group->ordered)
					parked_mark_rest(deliveries, i, n);
				break;
		}
		/* commit what an external party was told before the next message is handled */
		if (handler->called)
			return i + 1;
	}
	return n;
}

/* ---- all at once ---- */

static int
deliver_set(Pass *pass, const ConsumerGroup *group, Handler *handler,
			Delivery *deliveries, int n)
{
	Message    *messages = palloc(sizeof(Message) * n);
	TimestampTz now = GetCurrentTimestamp();
	int			given = 0;
	int			run = 0;
	int			i;

	for (i = 0; i < n; i++)
	{
		if (deliveries[i].fate == FATE_RUN)
			messages[given++] = deliveries[i].message;
		deliveries[i].started_at = now;
	}
	if (given > 0)
		run = handler_run(handler, messages, given);
	pass->handled += run;
	given = 0;
	for (i = 0; i < n; i++)
	{
		if (deliveries[i].fate != FATE_RUN)
			put_away(pass, group, &deliveries[i]);
		else if (given == run)
			break;				/* its time is over */
		else if (messages[given++].outcome == MESSAGE_DONE)
			delivery_done(group, &deliveries[i]);
		else
		{
			delivery_busy(group, &deliveries[i], 0);
			pass->busy++;
		}
	}
	return i;
}

/* ---- not at all ---- */

/* Record the failure for all messages, or for the first one of each key. */
static void
fail_all(Pass *pass, const ConsumerGroup *group, Delivery *deliveries, int n,
		 const Failure *failure, bool at_once)
{
	int			i;

	for (i = 0; i < n; i++)
	{
		Delivery   *delivery = &deliveries[i];
		bool		blocks = true;

		if (delivery->fate != FATE_RUN)
		{
			put_away(pass, group, &deliveries[i]);
			continue;
		}
		delivery->started_at = pass->mode == PASS_GIVE_UP ? pass->began : GetCurrentTimestamp();
		if (at_once)
			delivery_dead(group, delivery, failure);
		else if (failure_is_conflict(failure) || found_busy(group, failure))
			delivery_busy(group, delivery, 1000);
		else
			blocks = !delivery_failed(group, delivery, failure);
		pass->handled++;
		if (group->ordered && blocks)
			parked_mark_rest(deliveries, i, n);
		else if (group->ordered && delivery->is_retry)
			release_first(group, delivery->message.key);
	}
}

int
deliver_messages(Pass *pass, const ConsumerGroup *group, Delivery *deliveries, int n)
{
	Handler		handler;
	Failure		why;

	if (pass->finished == 0)
	{
		pass->first = deliveries[0].message;
		pass->first.payload = NULL;
	}
	/* since then, a transaction may have committed one that comes before the one that failed */
	if (pass->mode == PASS_GIVE_UP && pass->first.id != pass->failed_id)
		pass->mode = PASS_ISOLATED;
	if (pass->mode == PASS_LEASE)
	{
		n = pass->take(pass->taker, deliveries, n);
		pass->handled += n;
		return n;
	}
	if (group->ordered)
		parked_mark_blocked(group, deliveries, n);
	if (!group->builtin)
		n = quarantine_sift(pass, group, deliveries, n);
	if (group->ordered)
		park_behind_buried(deliveries, n);
	if (!handler_open(group, pass->in_dispatch, &handler, &why))
	{
		fail_all(pass, group, deliveries, n, &why, true);
		return n;
	}
	handler.first = &pass->first;
	handler.n_before = pass->finished;
	if (pass->mode == PASS_GIVE_UP)
	{
		fail_all(pass, group, deliveries, 1, pass->failure, false);
		n = 1;
	}
	/* a finished retry lets the next ones follow, in order */
	else if (pass->mode == PASS_ISOLATED || (group->ordered && deliveries[0].is_retry))
		n = deliver_isolated(pass, group, &handler, deliveries, n);
	else
		n = deliver_set(pass, group, &handler, deliveries, n);
	if (!pass->in_dispatch && pass->mode != PASS_GIVE_UP)
		handler_settle(&handler, &deliveries[0].message, n);
	quarantine_finished(group, deliveries, n);
	return n;
}

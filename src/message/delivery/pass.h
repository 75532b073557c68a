/*
 * pass.h
 *		One pass of a consumer group: a batch of messages is read, handled and recorded,
 *		all in the current (sub)transaction.
 */
#ifndef ORDER_EXT_PASS_H
#define ORDER_EXT_PASS_H

#include "postgres.h"

#include "message/base/catalog.h"
#include "message/delivery/failure.h"
#include "message/delivery/retries.h"

typedef enum PassMode
{
	PASS_SET,					/* all at once; any error comes out and undoes the pass */
	PASS_ISOLATED,				/* each message in a subtransaction of its own */
	PASS_GIVE_UP,				/* the first message has failed already: record that */
	PASS_LEASE					/* handed to take(), which leases them to an external consumer */
} PassMode;

typedef struct Pass
{
	int32		group_id;
	int16		part;
	PassMode	mode;
	int			limit;			/* most messages to take */
	bool		in_dispatch;	/* inside of somebody's transaction, not in a worker's own */
	Oid			only_run_as;	/* if valid: skip handlers of other roles */
	bool		builtin;		/* built-in handlers, too */
	const Failure *failure;		/* of PASS_GIVE_UP */
	TimestampTz began;			/* ... and when the attempt that failed so began */
	/* of PASS_LEASE: takes some, from the front, and returns how many */
	int			(*take) (void *taker, Delivery *deliveries, int n);
	void	   *taker;

	/* results */
	int			taken;			/* messages read; set before any of them is run */
	int			finished;		/* of those taken, from the front: done with or put elsewhere */
	int			handled;		/* messages that were run, well or not */
	int			busy;			/* ... of which found busy what they need */
	bool		more;			/* there may be more to do at once */
	bool		locked;			/* somebody else is at work on the part */
	bool		switched;		/* the group has begun with other parts */
	bool		waits;			/* for other parts to come to the barrier */
	TimestampTz next_retry;		/* when the group's next retry is due; DT_NOEND */
} Pass;

/* The next slice of the log. */
extern void pass_window(Pass *pass);

/* Retries that are due at now. */
extern void pass_retries(Pass *pass, TimestampTz now);

/* Messages of this transaction: those with these ids (ascending), of the group's topic. */
extern void pass_inline(Pass *pass, const int64 *ids, int n);

/*
 * Whether the log has something for the group; *locked if somebody else is at work on it,
 * so that it is not to be had now. Takes no lock and writes nothing; needs a snapshot.
 */
extern bool pass_has_messages(const ConsumerGroup *group, bool *locked);

#endif							/* ORDER_EXT_PASS_H */

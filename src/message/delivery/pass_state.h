/*
 * pass_state.h
 *		What a pass is asked for, and what has come of it; see pass.h.
 */
#ifndef ORDER_EXT_PASS_STATE_H
#define ORDER_EXT_PASS_STATE_H

#include "message/base/catalog.h"
#include "message/delivery/failure.h"
#include "message/delivery/retries.h"

typedef enum PassMode
{
	PASS_SET,					/* all at once; any error is rethrown and undoes the pass */
	PASS_ISOLATED,				/* each message in a subtransaction of its own */
	PASS_GIVE_UP,				/* a message has already failed: record that if it is the first */
	PASS_LEASE					/* passed to take(), which leases them to an external consumer */
} PassMode;

typedef struct Pass
{
	int32		group_id;
	int16		part;
	PassMode	mode;
	int			limit;			/* maximum number of messages to take */
	bool		in_dispatch;	/* in a caller's transaction rather than a worker's own */
	Oid			only_run_as;	/* if valid: skip handlers of other roles */
	bool		builtin;		/* built-in handlers, too */
	bool		(*may_go_on) (void);	/* whether to add another batch; NULL: never */
	const Failure *failure;		/* of PASS_GIVE_UP */
	int64		failed_id;		/* ... and which message failed */
	TimestampTz began;			/* ... and when the failed attempt began */
	/* of PASS_LEASE: takes some messages, from the front, and returns how many */
	int			(*take) (void *taker, Delivery *deliveries, int n);
	void	   *taker;

	/* results */
	int			batches;		/* read; set, like the next one, before any of it is run */
	int			taken;			/* messages read */
	int			finished;		/* of those taken, from the front: finished or moved elsewhere */
	int			handled;		/* messages that were run, successfully or not */
	int			busy;			/* ... of which were busy */
	int			handed_on;		/* messages of other groups that were handled along with them */
	Size		parked_bytes;	/* payloads of parked messages that were run */
	Message		first;			/* the first one that was taken, without its payload */
	bool		more;			/* there may be more to do at once */
	bool		locked;			/* another process is working on the part */
	bool		switched;		/* the group has switched to other parts */
	bool		waits;			/* for other parts to reach the barrier */
	TimestampTz next_retry;		/* when the group's next retry is due; DT_NOEND */
} Pass;

#endif							/* ORDER_EXT_PASS_STATE_H */

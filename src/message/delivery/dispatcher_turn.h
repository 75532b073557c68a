/*
 * dispatcher_turn.h
 *		The dispatcher's turn: what a background worker calls in its loop.
 */
#ifndef ORDER_EXT_DISPATCHER_TURN_H
#define ORDER_EXT_DISPATCHER_TURN_H

#include "postgres.h"

#include "utils/timestamp.h"

#include "message/base/catalog.h"

/*
 * The handlers that a dispatcher runs: those of a role, and optionally the built-in ones. It is
 * one of count dispatchers of that role, numbered from 0: the parts of groups are divided among
 * them, and handled by any of them if the responsible one is busy or gone.
 */
typedef struct DispatcherRole
{
	Oid			role;
	bool		builtin;
	int			ordinal;
	int			count;
} DispatcherRole;

extern void dispatcher_serve(const DispatcherRole *role);

/*
 * begins() is called when the dispatcher starts on a group, with the topics of its other groups
 * that wait meanwhile, and since or from when, and how long the group's handler may take
 * (milliseconds, 0: no limit); ends() when it is done with the group (not after an error). In
 * between, lets_wait() tells whether one of the others has something to do. NULL: no watch.
 */
typedef struct DispatcherWatch
{
	void		(*begins) (uint64 other_topics, TimestampTz others_due, int handler_timeout);
	void		(*ends) (void);
	bool		(*lets_wait) (void);
} DispatcherWatch;

extern void dispatcher_watch(const DispatcherWatch *watch);

/* Whether the group's messages are handled by this dispatcher. */
extern bool dispatcher_serves(const ConsumerGroup *group);

/*
 * Run due retries, and one batch of every group whose topic is in topic_bits (see
 * base/wake.h) or that had more at the last turn. Starts and commits its own transactions;
 * call it outside of one, from a process whose session user is the role. Returns
 * whether there is more to do at once. *next_wakeup becomes the time by which it should
 * be called again without being woken (retries, groups busy elsewhere), DT_NOEND if none.
 * *messages is increased by the messages handled, *batches by the batches run.
 *
 * An error of a handler is stored with its message and not rethrown; other errors (out of memory,
 * a corrupted table) are, and the caller must then abort the current transaction, as a background
 * worker's main loop does.
 */
extern bool dispatcher_turn(uint64 topic_bits, TimestampTz *next_wakeup,
							int64 *messages, int64 *batches);

#endif							/* ORDER_EXT_DISPATCHER_TURN_H */

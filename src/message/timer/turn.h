/*
 * turn.h
 *		Firing timers: for the scheduler process and for dispatch().
 */
#ifndef ORDER_EXT_TIMER_TURN_H
#define ORDER_EXT_TIMER_TURN_H

#include "postgres.h"

#include "utils/timestamp.h"

/*
 * What else is done in the transactions of the scheduler process: begins() comes first, and
 * fired() after timers were published, inside engine_enter(); it returns whether it has done
 * anything, whose commit is to wait for the disk as others do. takes() tells whether it does
 * something about a topic.
 */
typedef struct TimerFollower
{
	void		(*begins) (void);
	bool		(*takes) (int32 topic_id);
	bool		(*fired) (void);
} TimerFollower;

extern void timers_follow(const TimerFollower *follower);

/*
 * A turn of the scheduler process: fire due timers and empty past buckets. Starts and commits its
 * own transactions. Returns whether there is more to do at once; otherwise *next_wakeup is when
 * the next timer is due or has to be loaded (DT_NOEND: never).
 * *fired grows by the messages published, *batches by the transactions that did so.
 */
extern bool timers_turn(TimestampTz *next_wakeup, int64 *fired, int64 *batches);

/* Discard what is kept in memory, so that it is read again. Called after an error. */
extern void timers_forget(void);

/*
 * Publish timers that are due, in the current transaction, at most limit (0: no limit). Inside
 * engine_enter(). Returns how many were handled, including void ones: 0 if nothing is due or
 * another process is firing.
 */
extern int64 timers_fire_due(int64 limit);

#endif							/* ORDER_EXT_TIMER_TURN_H */

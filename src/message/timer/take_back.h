/*
 * take_back.h
 *		Taking back a timer that has not fired: for cancel_message() and reschedule_message().
 */
#ifndef ORDER_EXT_TIMER_TAKE_BACK_H
#define ORDER_EXT_TIMER_TAKE_BACK_H

#include "postgres.h"

#include "message/timer/buckets.h"

/*
 * The timer of this id, if it waits, by what is committed now and our own changes. SPI must be
 * connected, as the owner.
 */
extern bool timer_find(int64 message_id, DueTimer *timer);

/*
 * Take back one that timer_find() has found: from then on it is this transaction's alone, and is
 * back if the transaction does not commit. False if it has fired meanwhile, or somebody else has
 * taken it back. Waits for transactions that are about to do either.
 */
extern bool timer_take_back(DueTimer *timer);

#endif							/* ORDER_EXT_TIMER_TAKE_BACK_H */

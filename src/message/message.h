/*
 * message.h
 *		The interface of the message layer: what machine/ and handlers/ may use of it. Publishing,
 *		timers, and how a built-in consumer receives its batch.
 *
 * The message layer knows nothing about orders: topics are ids, keys are numbers, payloads are
 * jsonb. No file of the layer itself includes this one.
 */
#ifndef ORDER_EXT_MESSAGE_H
#define ORDER_EXT_MESSAGE_H

#include "message/base/types.h" /* Message */
#include "message/delivery/builtin.h"	/* message_register_builtin() */
#include "message/log/append.h" /* message_publish(), ..._for_later() */
#include "message/timer/arm.h"	/* timer_arm() */
#include "message/timer/bound.h"	/* timer_bind_source() */
#include "message/upkeep/sequences.h"	/* sequences_raise_with() */

#endif							/* ORDER_EXT_MESSAGE_H */

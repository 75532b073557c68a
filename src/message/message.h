/*
 * message.h
 *		The face of the message layer: what machine/ and handlers/ may know of it.
 *		Publishing, timers, and how a built-in consumer receives its batch.
 *
 * The message layer knows nothing of orders: topics are ids, keys numbers, payloads jsonb.
 * Within it nobody includes this file.
 */
#ifndef ORDER_EXT_MESSAGE_H
#define ORDER_EXT_MESSAGE_H

#include "message/base/types.h" /* Message */
#include "message/delivery/builtin.h"	/* message_register_builtin() */
#include "message/log/append.h" /* message_publish(), ..._for_later() */
#include "message/timer/arm.h"	/* timer_arm() */
#include "message/timer/bound.h"	/* timer_bind_source() */

#endif							/* ORDER_EXT_MESSAGE_H */

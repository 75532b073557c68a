/*
 * builtin.h
 *		Handlers that are C functions of the library, by the topic they are for.
 */
#ifndef ORDER_EXT_BUILTIN_H
#define ORDER_EXT_BUILTIN_H

#include "postgres.h"

#include "message/base/types.h"

/*
 * A built-in consumer: handles a batch in the current transaction, with SPI connected,
 * as order_ext_owner. An error undoes the whole batch, which is then run again one by one.
 */
typedef void (*BuiltinHandler) (Message *messages, int n);

/* Tie the built-in group that is named as the topic to its handler; from _PG_init. */
extern void message_register_builtin(int32 topic_id, BuiltinHandler handler);

/*
 * For groups whose handler is a function of a form of its own (subscribe.h): gets their
 * batches as a built-in handler does, but in the session of the group's role, and calls the
 * function by handler_call() of handler.h.
 */
struct Handler;
typedef void (*AdaptedHandler) (struct Handler *handler, Message *messages, int n);

/* Tie such groups of the topic to the C function; from _PG_init. */
extern void message_register_adapted(int32 topic_id, AdaptedHandler handler);

/* The handler, and the C function, of a topic; NULL: none. */
extern BuiltinHandler builtin_handler_of(int32 topic_id);
extern AdaptedHandler adapted_handler_of(int32 topic_id);

#endif							/* ORDER_EXT_BUILTIN_H */

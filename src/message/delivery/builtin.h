/*
 * builtin.h
 *		Handlers that are C functions of the library, by topic.
 *
 * Prefixes: message_, builtin_
 */
#ifndef ORDER_EXT_BUILTIN_H
#define ORDER_EXT_BUILTIN_H

#include "postgres.h"

#include "message/base/types.h"

/*
 * A built-in consumer: handles a batch in the current transaction, with SPI connected, as
 * order_ext_owner. An error rolls back the whole batch, whose messages are then run one by one.
 */
typedef void (*BuiltinHandler) (Message *messages, int n);

/* Register the handler of the built-in group with the topic's name; called from _PG_init. */
extern void message_register_builtin(int32 topic_id, BuiltinHandler handler);

/*
 * Its messages may be handed on (hand_on.h): the handler depends on nothing that only the commit of
 * their publisher brings about, and needs no transaction of its own.
 */
extern void message_register_handed_on(int32 topic_id);

/*
 * For groups whose handler is a function with another signature (verbs/subscribe.h): receives their
 * batches like a built-in handler, but in the session of the group's role, and calls the function
 * by handler_call() of handler.h.
 */
struct Handler;
typedef void (*AdaptedHandler) (struct Handler *handler, Message *messages, int n);

/* Register the C function for such groups of the topic; called from _PG_init. */
extern void message_register_adapted(int32 topic_id, AdaptedHandler handler);

/* The handler, and the C function, of a topic; NULL if there is none. */
extern BuiltinHandler builtin_handler_of(int32 topic_id);
extern AdaptedHandler builtin_adapted_handler_of(int32 topic_id);
extern bool builtin_is_handed_on(int32 topic_id);

#endif							/* ORDER_EXT_BUILTIN_H */

/*
 * builtin.c
 *		Handlers that are C functions; see builtin.h.
 */
#include "compat.h"

#include "message/base/catalog.h"
#include "message/delivery/builtin.h"

/* Only built-in topics have any. */
static BuiltinHandler builtin_handlers[FIRST_USER_TOPIC_ID];
static AdaptedHandler adapted_handlers[FIRST_USER_TOPIC_ID];
static bool handed_on[FIRST_USER_TOPIC_ID];

void
message_register_builtin(int32 topic_id, BuiltinHandler handler)
{
	builtin_handlers[topic_id] = handler;
}

void
message_register_adapted(int32 topic_id, AdaptedHandler handler)
{
	adapted_handlers[topic_id] = handler;
}

void
message_register_handed_on(int32 topic_id)
{
	handed_on[topic_id] = true;
}

static bool
is_builtin(int32 topic_id)
{
	return topic_id > 0 && topic_id < FIRST_USER_TOPIC_ID;
}

BuiltinHandler
builtin_handler_of(int32 topic_id)
{
	return is_builtin(topic_id) ? builtin_handlers[topic_id] : NULL;
}

AdaptedHandler
builtin_adapted_handler_of(int32 topic_id)
{
	return is_builtin(topic_id) ? adapted_handlers[topic_id] : NULL;
}

bool
builtin_is_handed_on(int32 topic_id)
{
	return is_builtin(topic_id) && handed_on[topic_id];
}

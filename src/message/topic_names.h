/*
 * topic_names.h
 *		The built-in topics by name.
 */
#ifndef ORDER_EXT_TOPIC_NAMES_H
#define ORDER_EXT_TOPIC_NAMES_H

#include "message/message.h"

/* The name of a built-in topic; NULL for any other id. */
extern const char *builtin_topic_name(int32 topic_id);

#endif							/* ORDER_EXT_TOPIC_NAMES_H */

/*
 * types.h
 *		A message, as everybody in the layer and every built-in handler knows it.
 */
#ifndef ORDER_EXT_MESSAGE_TYPES_H
#define ORDER_EXT_MESSAGE_TYPES_H

#include "postgres.h"

#include "utils/jsonb.h"
#include "utils/timestamp.h"

/* The topic that operators are told by; alerts about messages go there, too. */
#define ALERT_TOPIC_ID 23

/* What became of a message that a handler was given. */
typedef enum MessageOutcome
{
	MESSAGE_DONE = 0,
	MESSAGE_BUSY				/* try again soon; not a failed attempt */
} MessageOutcome;

typedef struct Message
{
	int64		id;
	int32		topic_id;
	int64		key;
	Jsonb	   *payload;
	int32		attempt;		/* from 1 */
	TimestampTz published_at;
	MessageOutcome outcome;		/* set by a built-in handler; DONE at the start */
} Message;

#endif							/* ORDER_EXT_MESSAGE_TYPES_H */

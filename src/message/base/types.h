/*
 * types.h
 *		Messages, as used throughout the layer and by built-in handlers.
 */
#ifndef ORDER_EXT_MESSAGE_TYPES_H
#define ORDER_EXT_MESSAGE_TYPES_H

#include "postgres.h"

#include "utils/jsonb.h"
#include "utils/timestamp.h"

/* The topic of alerts for operators; alerts about messages are published there, too. */
#define ALERT_TOPIC_ID 23

/* The outcome of a message that was passed to a handler. */
typedef enum MessageOutcome
{
	MESSAGE_DONE = 0,
	MESSAGE_BUSY				/* try again soon; does not count as a failed attempt */
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

/*
 * segments.h
 *		The tables of the message log, one for each segment of its ring.
 */
#ifndef ORDER_EXT_LOG_SEGMENTS_H
#define ORDER_EXT_LOG_SEGMENTS_H

#include "postgres.h"

#include "message/base/catalog.h"

/* Columns of message_log_N. */
enum
{
	LOG_MESSAGE_ID = 1,
	LOG_XID,
	LOG_KEY,
	LOG_PUBLISHED_AT,
	LOG_TOPIC_ID,
	LOG_SHARD,
	LOG_PAYLOAD,
	LOG_COLUMNS = LOG_PAYLOAD
};

/* The segment that is appended to, of attempts as well. */
extern int	log_current_segment(void);

/* Keep all segments from being truncated until the end of the transaction. */
extern void log_hold_segments(void);

#endif							/* ORDER_EXT_LOG_SEGMENTS_H */

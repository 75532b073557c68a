/*
 * log_columns.h
 *		The columns of the log's segments, for the code that appends and reads them.
 */
#ifndef ORDER_EXT_LOG_COLUMNS_H
#define ORDER_EXT_LOG_COLUMNS_H

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

#endif							/* ORDER_EXT_LOG_COLUMNS_H */

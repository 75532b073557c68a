/*
 * capture.h
 *		What a transaction appends to the log while dispatch() runs in it.
 */
#ifndef ORDER_EXT_LOG_CAPTURE_H
#define ORDER_EXT_LOG_CAPTURE_H

#include "postgres.h"

typedef struct LogAppended
{
	int32		topic_id;
	int16		shard;
	int64		message_id;
	Size		bytes;			/* of its payload */
} LogAppended;

/* Start (in the given context) and stop recording the ids that are appended. */
extern void log_capture_begin(MemoryContext context);
extern void log_capture_end(void);

/* Record an appended row, if recording is on. */
extern void log_capture_note(const LogAppended *row);

/* The ids recorded so far; forget all but the first n (after a subtransaction's abort). */
extern int	log_captured(const LogAppended **appended);
extern void log_capture_truncate(int n);

#endif							/* ORDER_EXT_LOG_CAPTURE_H */

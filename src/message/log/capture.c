/*
 * capture.c
 *		What a transaction appends to the log while dispatch() runs in it; see capture.h.
 */
#include "compat.h"

#include "utils/memutils.h"

#include "message/log/capture.h"

/* The ids appended since dispatch() began. */
static MemoryContext capture_context = NULL;
static LogAppended *captured = NULL;
static int	n_captured = 0;
static int	captured_room = 0;

void
log_capture_note(const LogAppended *row)
{
	if (capture_context == NULL)
		return;
	if (n_captured == captured_room)
	{
		captured_room = Max(captured_room * 2, 256);
		if (captured == NULL)
			captured = MemoryContextAllocHuge(capture_context, sizeof(LogAppended) * captured_room);
		else
			captured = repalloc_huge(captured, sizeof(LogAppended) * captured_room);
	}
	captured[n_captured++] = *row;
}

void
log_capture_begin(MemoryContext context)
{
	capture_context = context;
	captured = NULL;
	n_captured = 0;
	captured_room = 0;
}

void
log_capture_end(void)
{
	log_capture_begin(NULL);
}

int
log_captured(const LogAppended **appended)
{
	*appended = captured;
	return n_captured;
}

void
log_capture_truncate(int n)
{
	if (n < n_captured)
		n_captured = n;
}

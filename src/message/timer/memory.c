/*
 * memory.c
 *		Memory of the queue of timers; see memory.h.
 */
#include "compat.h"

#include "message/timer/memory.h"

LogSnapshot *
timer_memory_copy_snapshot(const TimerQueue *queue, const LogSnapshot *snapshot)
{
	MemoryContext old = MemoryContextSwitchTo(queue->context);
	LogSnapshot *copy = palloc(sizeof(LogSnapshot));

	*copy = *snapshot;
	copy->xip = palloc(sizeof(uint64) * (snapshot->nxip + 1));
	memcpy(copy->xip, snapshot->xip, sizeof(uint64) * snapshot->nxip);
	MemoryContextSwitchTo(old);
	return copy;
}

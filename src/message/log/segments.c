/*
 * segments.c
 *		The tables of the message log; see segments.h.
 */
#include "compat.h"

#include "storage/lmgr.h"

#include "core/internal.h"
#include "message/log/segments.h"

int
log_current_segment(void)
{
	return catalog_ring_state(RING_LOG)->current;
}

void
log_hold_segments(void)
{
	char		name[NAMEDATALEN];
	int			i;

	for (i = 0; i < RING_SEGMENTS; i++)
	{
		snprintf(name, sizeof(name), "message_log_%d", i);
		LockRelationOid(internal_relation(name), AccessShareLock);
	}
}

/*
 * shard.c
 *		Shards of keys; see shard.h.
 */
#include "compat.h"

#include "message/log/shard.h"

int16
log_shard(int64 key)
{
	uint64		hash = (uint64) key;

	/* stored in rows, hence our own function, which does not change with server versions */
	hash ^= hash >> 33;
	hash *= UINT64CONST(0xff51afd7ed558ccd);
	hash ^= hash >> 33;
	hash *= UINT64CONST(0xc4ceb9fe1a85ec53);
	hash ^= hash >> 33;
	return (int16) (hash & 255);
}

const LogPart log_all_parts = {.part = 0, .parts = 1};

bool
log_part_has(const LogPart *part, int64 key)
{
	return part->parts == 1 || log_shard(key) % part->parts == part->part;
}

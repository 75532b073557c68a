/*
 * shard.h
 *		Shards of keys, and the parts of a group that they are read in.
 */
#ifndef ORDER_EXT_LOG_SHARD_H
#define ORDER_EXT_LOG_SHARD_H

#include "postgres.h"

/* The shard of a key, 0 to 255. */
extern int16 log_shard(int64 key);

/* The messages of a part: those with shard % parts = part. */
typedef struct LogPart
{
	int16		part;
	int16		parts;
} LogPart;

/* All messages, as one part. */
extern const LogPart log_all_parts;

/* Whether the key's messages belong to the part. */
extern bool log_part_has(const LogPart *part, int64 key);

#endif							/* ORDER_EXT_LOG_SHARD_H */

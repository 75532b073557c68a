/*
 * hash_sum.c
 *		The sums that verify() compares tables by; see sql/parts/575_verify_sums.sql.
 *
 * hash_sum(key, second_key, amount) adds up amounts, each times a number that its keys are hashed
 * to, modulo 2^64. Where two tables say the same of their keys, their sums are equal; where they
 * do not, they differ: always if it is about one pair of keys, since the numbers are odd, and
 * otherwise unless several differences cancel each other out, one time in 2^63. hash_sum(sum) adds
 * up such sums.
 *
 * chain_sum(entity, machine, version, status, next version, next status) adds up links: what ends
 * one link and begins another cancels out, so that a chain has the sum of one link from its first
 * end to its last, and chains that are broken differ from it.
 */
#include "compat.h"

#include "fmgr.h"

/* splitmix64 */
static inline uint64
mix(uint64 x)
{
	x += UINT64CONST(0x9e3779b97f4a7c15);
	x = (x ^ (x >> 30)) * UINT64CONST(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64CONST(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

static inline uint64
hash_of(uint64 key, uint64 second_key)
{
	return mix(mix(key) ^ second_key);
}

/*
 * hash_sum_add(sum, key, second_key, amount): transition function of hash_sum(), strict. The
 * second key may be any type of 64 bits.
 */
PG_FUNCTION_INFO_V1(order_ext_hash_sum_add);
Datum
order_ext_hash_sum_add(PG_FUNCTION_ARGS)
{
	uint64		sum = (uint64) PG_GETARG_INT64(0);
	uint64		key = (uint64) PG_GETARG_INT64(1);
	uint64		second_key = (uint64) PG_GETARG_INT64(2);
	uint64		amount = (uint64) PG_GETARG_INT64(3);

	PG_RETURN_INT64((int64) (sum + (hash_of(key, second_key) | 1) * amount));
}

/* hash_sum_merge(sum, sum): their sum, modulo 2^64; strict. */
PG_FUNCTION_INFO_V1(order_ext_hash_sum_merge);
Datum
order_ext_hash_sum_merge(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64((int64) ((uint64) PG_GETARG_INT64(0) + (uint64) PG_GETARG_INT64(1)));
}

static inline uint64
link_end(int64 entity, int16 machine, int32 version, int16 status)
{
	uint64		place = ((uint64) (uint16) machine << 48) | ((uint64) (uint32) version << 16) |
	(uint16) status;

	return hash_of((uint64) entity, place);
}

/*
 * chain_sum_add(sum, entity, machine, version, status, next_version, next_status): transition
 * function of chain_sum(), strict.
 */
PG_FUNCTION_INFO_V1(order_ext_chain_sum_add);
Datum
order_ext_chain_sum_add(PG_FUNCTION_ARGS)
{
	uint64		sum = (uint64) PG_GETARG_INT64(0);
	int64		entity = PG_GETARG_INT64(1);
	int16		machine = PG_GETARG_INT16(2);

	sum += link_end(entity, machine, PG_GETARG_INT32(5), PG_GETARG_INT16(6));
	sum -= link_end(entity, machine, PG_GETARG_INT32(3), PG_GETARG_INT16(4));
	PG_RETURN_INT64((int64) sum);
}

/*
 * ids.c
 *		Order ids; see ids.h.
 */
#include "compat.h"

#include "commands/sequence.h"
#include "common/hashfn.h"
#include "fmgr.h"
#include "lib/qunique.h"
#include "utils/datetime.h"

#include "core/ids.h"
#include "core/internal.h"
#include "core/spi_util.h"

#define SECONDS_A_DAY		86400
#define NUMBERS_A_SECOND	100000
#define USERS				1000
#define DAYS_OF_CENTURY		36525	/* from 2000 on */
#define FEISTEL_HALF_BITS	9	/* 2^18 is the least even power above 100000 */
#define FEISTEL_ROUNDS		4

static SavedPlan read_secret = SAVED_PLAN_NO_ARGS(
	"SELECT id_secret FROM order_ext_internal.instance");

int64
id_next(const char *sequence)
{
	return nextval_internal(internal_relation(sequence), false);
}

int
id_compare(const void *a, const void *b)
{
	int64		left = *(const int64 *) a;
	int64		right = *(const int64 *) b;

	return (left > right) - (left < right);
}

int64 *
id_sort(const int64 *ids, int n, int *n_sorted)
{
	int64	   *sorted = palloc(sizeof(int64) * Max(n, 1));

	memcpy(sorted, ids, sizeof(int64) * n);
	qsort(sorted, n, sizeof(int64), id_compare);
	*n_sorted = n == 0 ? 0 : (int) qunique(sorted, n, sizeof(int64), id_compare);
	return sorted;
}

/*
 * The secret of this database. It never changes, so a backend reads it once and caches it.
 */
static uint64
id_secret(void)
{
	static uint64 secret = 0;

	if (secret == 0)
	{
		if (plan_query(&read_secret, NULL, NULL, 1) != 1)
			elog(ERROR, "table \"order_ext_internal.instance\" is empty");
		secret = (uint64) row_int64(0, 1);
	}
	return secret;
}

/* A keyed permutation of 0..99999: a small Feistel network, walked until in range. */
static uint32
permute(uint32 number, uint64 key)
{
	const uint32 mask = (1 << FEISTEL_HALF_BITS) - 1;

	do
	{
		uint32		left = number >> FEISTEL_HALF_BITS;
		uint32		right = number & mask;
		int			round;

		for (round = 0; round < FEISTEL_ROUNDS; round++)
		{
			uint32		input[2] = {right, (uint32) round};
			uint32		mixed = (uint32) hash_bytes_extended((unsigned char *) input,
															 sizeof(input), key) & mask;
			uint32		next = left ^ mixed;

			left = right;
			right = next;
		}
		number = left << FEISTEL_HALF_BITS | right;
	} while (number >= NUMBERS_A_SECOND);
	return number;
}

/* The date and the second of an id, for the second since 2000. */
static int64
moment_of(int64 second)
{
	int64		of_day = second % SECONDS_A_DAY;
	int			year,
				month,
				mday;

	j2date((int) (second / SECONDS_A_DAY) + POSTGRES_EPOCH_JDATE, &year, &month, &mday);
	return (int64) ((year % 100) * 10000 + month * 100 + mday) * 100000 + of_day;
}

int64
id_next_order(int64 user_id, TimestampTz created_at)
{
	int64		second = created_at / USECS_PER_SEC;
	uint32		number = (uint32) (id_next("order_number_seq") % NUMBERS_A_SECOND);

	number = permute(number, id_secret() ^ (uint64) second);
	return (moment_of(second) * NUMBERS_A_SECOND + number) * USERS + user_id % USERS;
}

int64
id_first_order(TimestampTz at)
{
	int128		id;

	if (at <= 0)
		return 0;
	if (at / USECS_PER_SEC >= (int64) DAYS_OF_CENTURY * SECONDS_A_DAY)
		return PG_INT64_MAX;
	id = (int128) moment_of(at / USECS_PER_SEC) * NUMBERS_A_SECOND * USERS;
	return id > PG_INT64_MAX ? PG_INT64_MAX : (int64) id;
}

/* next_order_id(user_id, created_at), of imports */
PG_FUNCTION_INFO_V1(order_ext_next_order_id);
Datum
order_ext_next_order_id(PG_FUNCTION_ARGS)
{
	int64		id;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "could not connect to SPI");
	id = id_next_order(PG_GETARG_INT64(0), PG_GETARG_TIMESTAMPTZ(1));
	SPI_finish();
	return Int64GetDatum(id);
}

/*
 * buckets.c
 *		The tables of the ring of timer buckets; see buckets.h.
 */
#include "compat.h"

#include "access/transam.h"
#include "utils/xid8.h"

#include "core/append.h"
#include "core/internal.h"
#include "core/spi_util.h"
#include "message/timer/buckets.h"

char *
timer_bucket_table(int bucket)
{
	return psprintf("timer_bucket_%d", bucket);
}

Oid
timer_bucket_relation(int bucket)
{
	return internal_relation(timer_bucket_table(bucket));
}

/* A constant statement each, since names cannot be parameters. */
#define TRUNCATE_BUCKET(n) \
	SAVED_PLAN_NO_ARGS("TRUNCATE order_ext_internal.timer_bucket_" #n)

static SavedPlan truncate_bucket[TIMER_BUCKETS] = {
	TRUNCATE_BUCKET(0), TRUNCATE_BUCKET(1), TRUNCATE_BUCKET(2), TRUNCATE_BUCKET(3),
	TRUNCATE_BUCKET(4), TRUNCATE_BUCKET(5), TRUNCATE_BUCKET(6), TRUNCATE_BUCKET(7),
	TRUNCATE_BUCKET(8), TRUNCATE_BUCKET(9), TRUNCATE_BUCKET(10), TRUNCATE_BUCKET(11),
	TRUNCATE_BUCKET(12), TRUNCATE_BUCKET(13), TRUNCATE_BUCKET(14), TRUNCATE_BUCKET(15),
	TRUNCATE_BUCKET(16), TRUNCATE_BUCKET(17), TRUNCATE_BUCKET(18), TRUNCATE_BUCKET(19),
	TRUNCATE_BUCKET(20), TRUNCATE_BUCKET(21), TRUNCATE_BUCKET(22), TRUNCATE_BUCKET(23),
	TRUNCATE_BUCKET(24), TRUNCATE_BUCKET(25), TRUNCATE_BUCKET(26), TRUNCATE_BUCKET(27),
	TRUNCATE_BUCKET(28), TRUNCATE_BUCKET(29), TRUNCATE_BUCKET(30), TRUNCATE_BUCKET(31)
};

void
timer_bucket_truncate(int bucket)
{
	(void) plan_write(&truncate_bucket[bucket], NULL, NULL, 0);
}

void
timer_append(Appender *appender, const DueTimer *timer, uint64 xid)
{
	Datum		values[TIMER_COLUMNS];
	bool		nulls[TIMER_COLUMNS] = {false};

	values[TIMER_MESSAGE_ID - 1] = Int64GetDatum(timer->entry.message_id);
	values[TIMER_XID - 1] = FullTransactionIdGetDatum(FullTransactionIdFromU64(xid));
	values[TIMER_KEY - 1] = Int64GetDatum(timer->entry.key);
	values[TIMER_DUE_AT - 1] = TimestampTzGetDatum(timer->due_at);
	values[TIMER_PUBLISHED_AT - 1] = TimestampTzGetDatum(timer->entry.published_at);
	values[TIMER_TOPIC_ID - 1] = Int32GetDatum(timer->entry.topic_id);
	values[TIMER_BOUND - 1] = Int16GetDatum(timer->bound);
	nulls[TIMER_BOUND - 1] = (timer->bound < 0);
	values[TIMER_PAYLOAD - 1] = JsonbPGetDatum(timer->entry.payload);
	append_row(appender, values, nulls);
}

void
timer_rows_read(uint64 n, DueTimer *timers)
{
	uint64		i;

	for (i = 0; i < n; i++)
	{
		timers[i].entry.message_id = row_int64(i, 1);
		timers[i].entry.key = row_int64(i, 2);
		timers[i].due_at = row_timestamptz(i, 3);
		timers[i].entry.published_at = row_timestamptz(i, 4);
		timers[i].entry.topic_id = row_int32(i, 5);
		timers[i].bound = row_is_null(i, 6) ? -1 : row_int16(i, 6);
		timers[i].entry.payload = row_jsonb(i, 7);
	}
}

/*
 * maintain.c
 *		maintain(): removes data that is no longer needed, moves orders to the archive, and the mark
 *		of verify(). See also schedule_jobs().
 */
#include "compat.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/timestamp.h"

#include "api/archive.h"
#include "api/verify/marks.h"
#include "core/call.h"
#include "core/settings.h"
#include "core/spi_util.h"
#include "machine/stock/upkeep.h"
#include "message/upkeep/rotate_turn.h"

/* One call removes at most the product of these: it is one transaction. */
#define KEYS_OF_A_BATCH 20000
#define MAX_BATCHES 50

/* Products whose ledger one call looks at. */
#define PRODUCTS_AT_ONCE 10000

static SavedPlan prune_requests = SAVED_PLAN_BY_BITMAP(
	"DELETE FROM order_ext_internal.requests WHERE ctid = ANY (ARRAY("
	" SELECT ctid FROM order_ext_internal.requests WHERE created_at < $1"
	" LIMIT $2 FOR UPDATE SKIP LOCKED))",
	TIMESTAMPTZOID, INT4OID);

/*
 * Progress tables are append-only and the newest row counts. The last thousand older ones are
 * kept: a transaction with an old snapshot may still take one of them for the newest, and must
 * then find that the next position is taken.
 */
static SavedPlan prune_progress[] = {
	SAVED_PLAN_NO_ARGS(
		"DELETE FROM order_ext_internal.sweep_progress"
		" WHERE seq < (SELECT max(seq) - 1000 FROM order_ext_internal.sweep_progress)"),
	SAVED_PLAN_NO_ARGS(
		"DELETE FROM order_ext_internal.timer_progress p"
		" USING (SELECT bucket, max(seq) - 1000 AS seq"
		"  FROM order_ext_internal.timer_progress GROUP BY bucket) keep"
		" WHERE p.bucket = keep.bucket AND p.seq < keep.seq"),
	SAVED_PLAN_NO_ARGS(
		"DELETE FROM order_ext_internal.timer_firings"
		" WHERE seq < (SELECT max(seq) - 1000 FROM order_ext_internal.timer_firings)")
};

static Datum
maintain(FunctionCallInfo fcinfo)
{
	Datum		values[2];
	int64		removed = 0;
	TimestampTz created;
	int			i;

	/* first: what it looks at is not locked yet, nor truncated */
	marks_move();
	created = TimestampTzPlusMilliseconds(GetCurrentTimestamp(),
										  -(int64) setting_request_retention * 1000);
	values[0] = TimestampTzGetDatum(created);
	values[1] = Int32GetDatum(KEYS_OF_A_BATCH);
	for (i = 0; i < MAX_BATCHES; i++)
	{
		uint64		batch = plan_write(&prune_requests, values, NULL, 0);

		removed += (int64) batch;
		if (batch < KEYS_OF_A_BATCH)
			break;
		CHECK_FOR_INTERRUPTS();
	}
	for (i = 0; i < (int) lengthof(prune_progress); i++)
		removed += (int64) plan_write(&prune_progress[i], NULL, NULL, 0);
	stock_upkeep(PRODUCTS_AT_ONCE);
	removed += archive_step();
	/* truncation holds locks until commit, so not inside a longer transaction */
	rotate_now(!IsTransactionBlock() && !IsSubTransaction());
	return Int64GetDatum(removed);
}

PG_FUNCTION_INFO_V1(order_ext_maintain);
Datum
order_ext_maintain(PG_FUNCTION_ARGS)
{
	return api_call(fcinfo, maintain);
}

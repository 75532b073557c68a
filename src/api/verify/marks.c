/*
 * marks.c
 *		Marks: until when everything has been checked; see marks.h.
 *
 * A mark is the snapshot of a check. What it shows is covered, and what it does not show is looked
 * at by the recent checks after it: transactions that were open included. Findings are never
 * covered up: an order that has one is listed in the mark and is looked at again each time; so is
 * one for which something is on its way that the check took for granted. Findings that are not
 * about an order, or that only a full check would make again, are kept in the mark until the next
 * full check.
 */
#include "compat.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"
#include "utils/jsonb.h"
#include "utils/resowner.h"

#include "api/verify/after_sales.h"
#include "api/verify/marks.h"
#include "api/verify/money_sums.h"
#include "api/verify/run.h"
#include "api/verify/stock.h"
#include "core/error_facts.h"
#include "core/internal.h"
#include "core/locks.h"
#include "core/settings.h"
#include "core/snapshots.h"
#include "core/spi_util.h"
#include "core/writers.h"
#include "machine/base/machine.h"

/* Findings that are kept in a mark, at most. */
#define FOUND_KEPT "1000"

/* Pages of a range of the index transition_log_at; see sql/parts/215_verify_marks.sql. */
#define PAGES_PER_RANGE 32

/* A transaction that has just begun may not have a transaction id yet. */
#define SAFETY_MARGIN (60 * USECS_PER_SEC)

static SavedPlan read_newest = SAVED_PLAN(
	"SELECT seq, at, full_at, since, unpaid_since, seen, open_orders, found, log_blocks"
	" FROM order_ext_internal.verify_marks"
	" WHERE system_identifier = $1 AND at <= clock_timestamp()"
	"  AND pg_catalog.pg_snapshot_xmax(seen)"
	"   <= pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())"
	" ORDER BY seq DESC LIMIT 1",
	INT8OID);

static SavedPlan read_last_seq = SAVED_PLAN_NO_ARGS(
	"SELECT seq FROM order_ext_internal.verify_marks ORDER BY seq DESC LIMIT 1");

static SavedPlan write_mark = SAVED_PLAN(
	"INSERT INTO order_ext_internal.verify_marks (seq, at, full_at, since, unpaid_since, seen,"
	"  system_identifier, open_orders, found, log_blocks)"
	" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
	INT8OID, TIMESTAMPTZOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TIMESTAMPTZOID, PG_SNAPSHOTOID,
	INT8OID, INT8ARRAYOID, JSONBOID, INT8OID);

/* One that a transaction with an older snapshot may still look at is kept. */
static SavedPlan forget_marks = SAVED_PLAN(
	"DELETE FROM order_ext_internal.verify_marks WHERE seq < $1 - 1", INT8OID);

static SavedPlan summarize_range = SAVED_PLAN(
	"SELECT pg_catalog.brin_summarize_range($1::oid::regclass, $2)", OIDOID, INT8OID);

/* ---- reading ---- */

static Datum
copied_column(int column, const char *what)
{
	bool		isnull;
	Datum		value = row_datum(0, column, &isnull);

	if (isnull)
		elog(ERROR, "a mark without %s", what);
	return PointerGetDatum(PG_DETOAST_DATUM_COPY(value));
}

VerifyMark *
marks_newest(void)
{
	Datum		system = Int64GetDatum((int64) GetSystemIdentifier());
	VerifyMark *mark;

	if (!OidIsValid(internal_relation_or_none("verify_marks")) ||
		plan_query_in_snapshot(&read_newest, &system, NULL, 1) == 0)
		return NULL;
	mark = palloc0(sizeof(VerifyMark));
	mark->seq = row_int64(0, 1);
	mark->at = row_timestamptz(0, 2);
	mark->full_at = row_timestamptz(0, 3);
	mark->since = row_timestamptz(0, 4);
	mark->unpaid_since = row_timestamptz(0, 5);
	mark->seen = copied_column(6, "a snapshot");
	mark->open_orders = copied_column(7, "orders");
	mark->found = copied_column(8, "findings");
	mark->log_blocks = row_int64(0, 9);
	return mark;
}

void
marks_add_found(const VerifyMark *mark, Store *into)
{
	StoreArgs	args = {.n = 1, .types = {JSONBOID}, .values = {mark->found}};

	store_query("SELECT f ->> 'invariant', f ->> 'severity', f ->> 'entity', f ->> 'expected',"
				" format('%s (found at %s)', f ->> 'actual', f ->> 'at')"
				" FROM jsonb_array_elements($1) AS f", &args, into);
}

/* ---- making a mark ---- */

/*
 * The orders that later recent checks must look at although nobody touches them, with those that
 * have findings: what is on its way for them, or a time that passes, makes a difference. That is
 * where a check spares what has its message on its way (of I4, I6, I7, I11), a cancel that the
 * warehouse has not answered, and a review that becomes late. All else follows from the rows of an
 * order and changes with them: an after-sale that waits for its goods or its gateway is not listed.
 */
#define OPEN_ORDERS(unless) \
	"SELECT order_id FROM order_ext_internal.orders WHERE status = " CODE(ORDER_PAID) \
	unless("NOT EXISTS (SELECT FROM orders_sums WHERE status = " CODE(ORDER_PAID) ")") \
	" UNION ALL SELECT i.order_id FROM order_ext_internal.order_items i" \
	"  JOIN order_ext_internal.orders o ON o.order_id = i.order_id" \
	"  WHERE i.reservation = " CODE(RESERVATION_OPEN) " AND o.status = " CODE(ORDER_CANCELED) \
	unless(RESERVATIONS_ARE_LIVE) \
	" UNION ALL SELECT c.order_id FROM order_ext_internal.coupons c" \
	"  JOIN order_ext_internal.orders o ON o.order_id = c.order_id" \
	"  WHERE c.status IN (" COUPONS_HELD ") AND o.status = " CODE(ORDER_CANCELED) \
	unless(COUPONS_AGREE) \
	" UNION ALL SELECT p.order_id FROM order_ext_internal.payments p" \
	"  JOIN order_ext_internal.orders o ON o.order_id = p.order_id" \
	"  LEFT JOIN (" MONEY_DECIDED ") g ON g.payment_id = p.payment_id" \
	"  WHERE p.status = " CODE(PAYMENT_CAPTURED) " AND p.purpose IN (" PURPOSES_OF_ORDER ")" \
	"   AND o.status = " CODE(ORDER_CANCELED) " AND coalesce(g.amount, 0) < p.amount" \
	unless(CAPTURES_ARE_BACK) \
	" UNION ALL SELECT order_id FROM order_ext_internal.fulfilments" \
	"  WHERE status = " CODE(FULFILMENT_CANCEL_REQUESTED) \
	unless("NOT EXISTS (SELECT FROM fulfilments_sums WHERE status = " \
		   CODE(FULFILMENT_CANCEL_REQUESTED) ")") \
	" UNION ALL SELECT order_id FROM order_ext_internal.after_sales" \
	"  WHERE status = " CODE(AFTER_SALE_APPLIED)

/* The finding's order by what it is about, "payment 12 ..."; without a row if it has none. */
#define FINDING_ORDERS \
	"found AS MATERIALIZED (SELECT f.*, m[1] AS kind, m[2]::bigint AS id" \
	"  FROM findings_of_orders f" \
	"  LEFT JOIN LATERAL regexp_match(f.entity, '^([a-z_-]+) (-?\\d{1,19})( |$)') AS m ON true)," \
	" about AS MATERIALIZED (" \
	" SELECT f.*, f.id AS order_id FROM found f WHERE f.kind IN ('order', 'fulfilment')" \
	" UNION ALL SELECT f.*, p.order_id FROM found f" \
	"  JOIN order_ext_internal.payments p ON p.payment_id = f.id WHERE f.kind = 'payment'" \
	" UNION ALL SELECT f.*, r.order_id FROM found f" \
	"  JOIN order_ext_internal.refunds r ON r.refund_id = f.id WHERE f.kind = 'refund'" \
	" UNION ALL SELECT f.*, a.order_id FROM found f" \
	"  JOIN order_ext_internal.after_sales a ON a.after_sale_id = f.id" \
	"  WHERE f.kind IN ('after-sale', 'after_sale', 'return')" \
	" UNION ALL SELECT f.*, c.order_id FROM found f" \
	"  JOIN order_ext_internal.coupons c ON c.coupon_id = f.id" \
	"  WHERE f.kind = 'coupon' AND c.order_id IS NOT NULL)"

#define LISTED_ORDERS(unless) \
	"WITH " FINDING_ORDERS \
	" SELECT coalesce(array_agg(DISTINCT order_id), '{}'::bigint[])" \
	" FROM (SELECT order_id FROM about UNION ALL " OPEN_ORDERS(unless) ") AS listed" \
	" WHERE order_id IS NOT NULL"

#define WHATEVER_SUMS_TELL(sums) ""
#define UNLESS_SUMS_TELL(sums) " AND NOT (" sums ")"

static const char listed_orders[] = LISTED_ORDERS(WHATEVER_SUMS_TELL);

/* After a full check, whose sums tell what need not be looked for. */
static const char listed_orders_full[] = LISTED_ORDERS(UNLESS_SUMS_TELL);

/* $1: findings that an earlier mark kept; those that are there again have a new time. */
static const char found[] =
	"WITH " FINDING_ORDERS ","
	" kept AS ("
	" SELECT invariant, severity, entity, expected, actual, now()::timestamptz(0)::text AS at"
	"  FROM found WHERE NOT EXISTS (SELECT FROM about WHERE about.invariant = found.invariant"
	"   AND about.entity = found.entity)"
	" UNION ALL SELECT invariant, severity, entity, expected, actual,"
	"  now()::timestamptz(0)::text FROM findings_others"
	" UNION ALL SELECT f ->> 'invariant', f ->> 'severity', f ->> 'entity', f ->> 'expected',"
	"  f ->> 'actual', f ->> 'at' FROM jsonb_array_elements($1) AS f)"
	" SELECT coalesce(jsonb_agg(to_jsonb(k)), '[]') FROM ("
	"  SELECT DISTINCT ON (invariant, entity, expected) * FROM kept"
	"  ORDER BY invariant, entity, expected, at DESC LIMIT " FOUND_KEPT ") k";

/* When the first order that is not paid was or is due. $1: no sooner than this. */
static const char unpaid_since[] =
	"SELECT coalesce((SELECT expire_at FROM order_ext_internal.orders"
	"  WHERE expire_at >= $1 AND status = " CODE(ORDER_CREATED)
	"  ORDER BY expire_at LIMIT 1), 'infinity')";

static const char unpaid_since_ever[] =
	"SELECT coalesce(min(expire_at) FILTER (WHERE status = " CODE(ORDER_CREATED) "), 'infinity')"
	" FROM order_ext_internal.orders";

/* The one value of a query's result, copied. */
static Datum
one_value(const char *sql, const StoreArgs *args, bool typbyval)
{
	Store		store = {.rows = tuplestore_begin_heap(false, false, work_mem)};
	TupleTableSlot *slot;
	Datum		value;
	bool		isnull = true;

	store_query(sql, args, &store);
	slot = MakeSingleTupleTableSlot(store.desc, &TTSOpsMinimalTuple);
	if (!tuplestore_gettupleslot(store.rows, true, false, slot))
		elog(ERROR, "no row");
	value = slot_getattr(slot, 1, &isnull);
	if (isnull)
		elog(ERROR, "unexpected NULL");
	value = typbyval ? value : PointerGetDatum(PG_DETOAST_DATUM_COPY(value));
	ExecDropSingleTupleTableSlot(slot);
	tuplestore_end(store.rows);
	return value;
}

static void
insert_mark(const VerifyMark *mark)
{
	Datum		values[10];

	values[0] = Int64GetDatum(mark->seq);
	values[1] = TimestampTzGetDatum(mark->at);
	values[2] = TimestampTzGetDatum(mark->full_at);
	values[3] = TimestampTzGetDatum(mark->since);
	values[4] = TimestampTzGetDatum(mark->unpaid_since);
	values[5] = mark->seen;
	values[6] = Int64GetDatum((int64) GetSystemIdentifier());
	values[7] = mark->open_orders;
	values[8] = mark->found;
	values[9] = Int64GetDatum(mark->log_blocks);
	(void) plan_write(&write_mark, values, NULL, 0);
	(void) plan_write(&forget_marks, values, NULL, 0);
}

/* What the check has found, and what is open, becomes the new mark. */
static void
fill_mark(VerifyMark *mark, VerifyRun *run)
{
	const VerifyMark *before = run->mark;
	const char *listed = listed_orders;
	int			guc_level;
	Store		of_orders = {.rows = tuplestore_begin_heap(true, false, work_mem)};
	Store		others = {.rows = tuplestore_begin_heap(true, false, work_mem)};
	VerifyFindings findings = {NULL, &of_orders, &others};
	StoreArgs	args = {.n = 1};

	store_columns(&of_orders);
	store_columns(&others);
	verify_run_checks(run, NULL, &findings);
	store_register("findings_of_orders", &of_orders);
	store_register("findings_others", &others);

	guc_level = NewGUCNestLevel();
	if (before != NULL)
	{
		verify_run_join_at_once();
		listed = recent_rewrite(listed_orders);
	}
	else if (!run->other_version)
	{
		listed = listed_orders_full;
		sums_make(&run->sums, listed);
	}
	mark->open_orders = one_value(listed, NULL, false);
	args.types[0] = JSONBOID;
	args.values[0] = before != NULL ? before->found :
		DirectFunctionCall1(jsonb_in, CStringGetDatum("[]"));
	mark->found = one_value(before != NULL ? recent_rewrite(found) : found, &args, false);
	AtEOXact_GUC(true, guc_level);
	args.types[0] = TIMESTAMPTZOID;
	args.values[0] = TimestampTzGetDatum(before != NULL ? before->unpaid_since : 0);
	mark->unpaid_since = DatumGetTimestampTz(one_value(before != NULL ? unpaid_since :
													   unpaid_since_ever, &args, true));
	/* orders that are yet to be created are due later than this */
	mark->unpaid_since = Min(mark->unpaid_since, mark->since);
	tuplestore_end(of_orders.rows);
	tuplestore_end(others.rows);
}

/*
 * Summarize the pages of the log that have been filled, so that the rows since the mark are found.
 * A range that is still being filled would cost every insert.
 */
static void
summarize_log(const VerifyMark *mark, int64 from)
{
	Datum		values[2];
	int64		block;

	values[0] = ObjectIdGetDatum(internal_relation("transition_log_at"));
	for (block = from - from % PAGES_PER_RANGE; block + 2 * PAGES_PER_RANGE <= mark->log_blocks;
		 block += PAGES_PER_RANGE)
	{
		values[1] = Int64GetDatum(block);
		(void) plan_query(&summarize_range, values, NULL, 0);
		CHECK_FOR_INTERRUPTS();
	}
}

static void
move_mark(void)
{
	TimestampTz since = writers_oldest_start();
	int64		last_seq = plan_query(&read_last_seq, NULL, NULL, 1) > 0 ? row_int64(0, 1) : 0;
	VerifyMark	mark = {.seq = last_seq + 1};
	VerifyMark *before;
	VerifyRun	run;
	bool		full;

	if (since == DT_NOBEGIN)
		return;
	mark.since = since - SAFETY_MARGIN;
	verify_run_begin(&run);
	mark.at = GetCurrentTimestamp();
	mark.seen = snapshot_to_datum(snapshot_active());
	mark.log_blocks = internal_relation_blocks(internal_relation("transition_log"));
	before = marks_newest();
	full = before == NULL ||
		mark.at - before->full_at >= setting_verify_interval * USECS_PER_SEC;
	mark.full_at = full ? mark.at : before->full_at;
	verify_run_prepare(&run, full ? NULL : before);
	fill_mark(&mark, &run);
	verify_run_end(&run);
	insert_mark(&mark);
	summarize_log(&mark, before != NULL ? before->log_blocks : 0);
}

/* A check that fails must not keep maintain() from the rest of its work. */
void
marks_move(void)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ErrorData  *volatile error = NULL;

	if (setting_verify_interval == 0 || IsolationUsesXactSnapshot() ||
		!OidIsValid(internal_relation_or_none("verify_marks")) || !lock_try(LOCK_VERIFY, 0))
		return;
	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		if (SPI_connect() != SPI_OK_CONNECT)
			elog(ERROR, "could not connect to SPI");
		move_mark();
		SPI_finish();
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	if (error == NULL)
		return;
	if (ERRCODE_TO_CATEGORY(error->sqlerrcode) == ERRCODE_OPERATOR_INTERVENTION)
		ReThrowError(error);
	ereport(WARNING,
			(errcode(error->sqlerrcode),
			 errmsg("could not verify the tables: %s", error->message),
			 error->context != NULL ? error_facts("{context}",
												  FACT_TEXT("context", error->context)) : 0));
}

/*
 * claim_refunds.c
 *		claim_refunds: the queue of external refund workers.
 *
 * A claim is committed before the gateway is called, so that a worker that dies leaves a
 * submitted refund whose lease expires, and the next one calls the gateway again with the same
 * refund id.
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

#include "core/args.h"
#include "core/call.h"
#include "core/error_facts.h"
#include "core/locks.h"
#include "core/spelling.h"
#include "core/spi_util.h"
#include "machine/after_sale/refunds.h"
#include "machine/refund/refund.h"

#define MAX_WORKER_CHARS 128

/*
 * Rows that another claim is processing are skipped, so that concurrent claims get different
 * refunds. The limit counts only refunds that can be claimed. Nothing else is passed over, of which
 * there can be any number: the index leads to each pay type that has open refunds, and from those
 * without a gateway in the database to what can be claimed by what its row says, the longest
 * waiting first. Only what waits for a dispute, or for goods, is looked at and left.
 */
static SavedPlan find_claimable = SAVED_PLAN(
	"WITH RECURSIVE types AS ("
	"  (SELECT r.pay_type FROM order_ext_internal.refunds r"
	"   WHERE " REFUND_IS_OPEN " ORDER BY r.pay_type LIMIT 1)"
	"  UNION ALL"
	"  SELECT (SELECT r.pay_type FROM order_ext_internal.refunds r"
	"    WHERE " REFUND_IS_OPEN " AND r.pay_type > t.pay_type ORDER BY r.pay_type LIMIT 1)"
	"  FROM types t WHERE t.pay_type IS NOT NULL),"
	" outside AS MATERIALIZED ("
	"  SELECT t.pay_type FROM types t"
	"  WHERE NOT EXISTS (SELECT FROM order_ext_internal.gateways g"
	"    WHERE g.pay_type = t.pay_type)"
	"   AND ($3 IS NULL OR " SPELLING_CODE_SQL("t.pay_type") " = ANY ($3)))"
	" SELECT c.refund_id, c.order_id"
	" FROM outside o CROSS JOIN LATERAL ("
	"  SELECT r.refund_id, r.order_id, " REFUND_CLAIMABLE_FROM " AS since"
	"  FROM order_ext_internal.refunds r"
	"  WHERE " REFUND_IS_OPEN " AND r.pay_type = o.pay_type"
	"   AND " REFUND_CLAIMABLE_FROM " <= $1"
	"   AND NOT EXISTS (SELECT FROM order_ext_internal.after_sales a"
	"    WHERE a.after_sale_id = r.after_sale_id"
	"     AND " AFTER_SALE_BARS_REFUND ")"
	"   AND NOT " REFUND_WAITS("$1")
	"  ORDER BY " REFUND_CLAIMABLE_FROM ", r.refund_id LIMIT $2 FOR UPDATE OF r SKIP LOCKED) c"
	" ORDER BY c.since, c.refund_id LIMIT $2",
	TIMESTAMPTZOID, INT4OID, TEXTARRAYOID);

/* The refunds of orders whose locks are free; never waits. */
static int64 *
lock_candidates(int n, int *n_locked)
{
	int64	   *locked = palloc(sizeof(int64) * Max(n, 1));
	int64	   *orders = palloc(sizeof(int64) * Max(n, 1));
	bool	   *busy = palloc(sizeof(bool) * Max(n, 1));
	int			i,
				j = 0;

	for (i = 0; i < n; i++)
	{
		locked[i] = row_int64(i, 1);
		orders[i] = row_int64(i, 2);
	}
	*n_locked = lock_try_all(LOCK_REFUND, orders, n, busy);
	for (i = 0; i < n; i++)
	{
		if (!busy[i])
			locked[j++] = locked[i];
	}
	return locked;
}

static void
put_refund(ReturnSetInfo *rsinfo, const Refund *refund)
{
	Datum		values[12];
	bool		nulls[12] = {false};

	values[0] = Int64GetDatum(refund->refund_id);
	values[1] = Int64GetDatum(refund->order_id);
	values[2] = Int64GetDatum(refund->payment_id);
	values[3] = CStringGetTextDatum(refund->out_trade_no);
	values[4] = CStringGetTextDatum(refund->pay_type);
	values[5] = Int64GetDatum(refund->amount);
	values[6] = CStringGetTextDatum(refund->currency);
	values[7] = Int32GetDatum(refund->attempt);
	values[8] = TimestampTzGetDatum(refund->lease_until);
	values[9] = Int64GetDatum(refund->payment_amount);
	values[10] = CStringGetTextDatum(refund->currency);
	values[11] = refund->reason ? CStringGetTextDatum(refund->reason) : (Datum) 0;
	nulls[11] = refund->reason == NULL;
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/* The pay types to claim for; NULL: all of them. */
static void
read_pay_types(FunctionCallInfo fcinfo, int n, RefundClaim *claim)
{
	ArrayType  *array;
	Datum	   *words;
	const char **pay_types;
	int			i;

	arg_exists(fcinfo, n, "pay_types");
	if (PG_ARGISNULL(n))
		return;
	array = PG_GETARG_ARRAYTYPE_P(n);
	arg_no_null_elements(array, "pay_types", "Pass the names of pay types, or NULL for all.");
	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &words, NULL, &claim->n_pay_types);
	pay_types = palloc(sizeof(char *) * Max(claim->n_pay_types, 1));
	for (i = 0; i < claim->n_pay_types; i++)
		pay_types[i] = spelling_code(TextDatumGetCString(words[i]));
	claim->pay_types = pay_types;
}

static Datum
claim_refunds_body(FunctionCallInfo fcinfo)
{
	int32		max_refunds = arg_count(fcinfo, 0, "max_refunds", lock_try_limit());
	char	   *worker = arg_text_or_null(fcinfo, 1, "worker", MAX_WORKER_CHARS);
	RefundClaim claim = {.in_database = false, .backoff = false};
	TimestampTz now = GetCurrentTimestamp();
	Journal    *journal;
	Datum		values[3];
	char		nulls[3] = {' ', ' ', ' '};
	int64	   *ids;
	Refund	   *refunds;
	int			n;
	int			i;

	claim.worker = worker != NULL ? worker : GetUserNameFromId(call_role(), false);
	if (strcmp(claim.worker, REFUND_WORKER_NAME) == 0)
		claim.worker = REFUND_WORKER_NAME " (external)";
	claim.lease = arg_duration(fcinfo, 2, "lease", 1);

	read_pay_types(fcinfo, 3, &claim);

	values[0] = TimestampTzGetDatum(now);
	values[1] = Int32GetDatum(max_refunds);
	nulls[2] = claim.pay_types == NULL ? 'n' : ' ';
	if (claim.pay_types != NULL)
		values[2] = text_array(claim.pay_types, claim.n_pay_types);
	n = (int) plan_write(&find_claimable, values, nulls, 0);
	ids = lock_candidates(n, &n);
	if (n == 0)
		return (Datum) 0;
	journal = journal_begin(now);
	refunds = refunds_claim(journal, ids, n, &claim, &n);
	after_sales_follow_refunds(journal, refunds, n, ACTOR_SYSTEM);
	journal_write(journal);
	for (i = 0; i < n; i++)
		put_refund((ReturnSetInfo *) fcinfo->resultinfo, &refunds[i]);
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(order_ext_claim_refunds);
Datum
order_ext_claim_refunds(PG_FUNCTION_ARGS)
{
	InitMaterializedSRF(fcinfo, 0);
	return api_call(fcinfo, claim_refunds_body);
}

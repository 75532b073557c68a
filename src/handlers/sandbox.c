/*
 * sandbox.c
 *		The built-in gateway "sandbox" simulates the outside world: it keeps its own books, in
 *		which a refund id moves money only once, however often it is requested, and it can be told
 *		to fail, to answer that the refund is pending, or to lose its answer.
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"

#include "core/args.h"
#include "core/call.h"
#include "core/error_facts.h"
#include "core/spi_util.h"
#include "handlers/sandbox.h"

#define ANSWER_VANISHES "vanish"
#define ANSWER_TRUTH "succeeded"

static const char *const sandbox_words[] = {
	ANSWER_TRUTH, "failed", "pending", ANSWER_VANISHES, NULL
};

static SavedPlan set_switch = SAVED_PLAN(
	"INSERT INTO order_ext_internal.sandbox_switch AS s (outcome, remaining) VALUES ($1, $2)"
	" ON CONFLICT (only_row) DO UPDATE SET outcome = excluded.outcome,"
	"  remaining = excluded.remaining",
	TEXTOID, INT4OID);

/*
 * Money that has moved is not moved again: of the simulated faults, only a lost answer applies to
 * it.
 */
static SavedPlan use_switch = SAVED_PLAN(
	"UPDATE order_ext_internal.sandbox_switch s SET remaining = s.remaining - 1"
	" WHERE s.remaining > 0 AND (s.outcome = 'vanish' OR NOT EXISTS ("
	"  SELECT FROM order_ext_internal.sandbox_refunds b"
	"  WHERE b.refund_id = $1 AND b.outcome = 'succeeded'))"
	" RETURNING s.outcome",
	INT8OID);

static SavedPlan write_book = SAVED_PLAN(
	"INSERT INTO order_ext_internal.sandbox_refunds AS b (refund_id, amount, at, calls, outcome)"
	" VALUES ($1, $2, pg_catalog.clock_timestamp(), 1, $3)"
	" ON CONFLICT (refund_id) DO UPDATE SET calls = b.calls + 1,"
	"  at = CASE WHEN b.outcome = 'succeeded' THEN b.at ELSE excluded.at END,"
	"  outcome = CASE WHEN b.outcome = 'succeeded' THEN b.outcome ELSE excluded.outcome END"
	" RETURNING b.outcome",
	INT8OID, INT8OID, TEXTOID);

char *
sandbox_call(const Refund *refund)
{
	Datum		values[3] = {Int64GetDatum(refund->refund_id)};
	char	   *told = NULL;
	bool		vanishes;

	if (plan_write(&use_switch, values, NULL, 0) > 0)
		told = row_text(0, 1);
	vanishes = told != NULL && strcmp(told, ANSWER_VANISHES) == 0;
	values[1] = Int64GetDatum(refund->amount);
	values[2] = CStringGetTextDatum(told == NULL || vanishes ? ANSWER_TRUTH : told);
	(void) plan_write(&write_book, values, NULL, 0);
	return vanishes ? NULL : row_text(0, 1);
}

/* ---- sandbox_set ---- */

static Datum
sandbox_set_body(FunctionCallInfo fcinfo)
{
	const char *outcome = sandbox_words[arg_word(fcinfo, 0, "outcome", sandbox_words)];
	Datum		values[2];
	int32		times;

	arg_not_null(fcinfo, 1, "times");
	times = PG_GETARG_INT32(1);
	if (times < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"times\" must not be negative"),
				 error_facts("The value is {value}.",
							 FACT_TEXT("argument", "times"), FACT_INT("value", times)),
				 errhint("Pass zero or more.")));
	values[0] = CStringGetTextDatum(outcome);
	values[1] = Int32GetDatum(times);
	(void) plan_write(&set_switch, values, NULL, 0);
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(order_ext_sandbox_set);
Datum
order_ext_sandbox_set(PG_FUNCTION_ARGS)
{
	return api_call(fcinfo, sandbox_set_body);
}

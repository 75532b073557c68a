/*
 * answer.c
 *		ack(), nack(), extend_lease(): the answers of an external consumer about its leases; see
 *		leases.h.
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "tcop/utility.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/inval.h"

#include "core/args.h"
#include "core/call.h"
#include "core/error_facts.h"
#include "core/errors.h"
#include "core/ids.h"
#include "core/locks.h"
#include "core/spi_util.h"
#include "message/base/engine.h"
#include "message/base/limits.h"
#include "message/base/small_tables.h"
#include "message/base/wake.h"
#include "message/delivery/retries.h"
#include "message/lease/leases.h"
#include "message/lease/receipts.h"

/* Maximum number of tokens named in an error. */
#define TOKENS_SHOWN 5

/* The part of a nack's error that is read; MAX_ERROR_BYTES of it are stored. */
#define NACK_ERROR_BYTES 4096

/* Rows are locked in the order of the tokens, in which the index returns them. */
static SavedPlan end_leases = SAVED_PLAN(
	"DELETE FROM order_ext_internal.leases"
	" WHERE token = ANY ($1) AND group_id = $2"
	" RETURNING token, until_receipt, message_id, leased_at, attempt, topic_id, key,"
	"  published_at, payload",
	INT8ARRAYOID, INT4OID);

static SavedPlan move_leases = SAVED_PLAN(
	"UPDATE order_ext_internal.leases l SET until_receipt = $3"
	" FROM (SELECT token, until_receipt FROM order_ext_internal.leases"
	"  WHERE token = ANY ($1) AND group_id = $2 ORDER BY token FOR UPDATE) before"
	" WHERE l.token = before.token"
	" RETURNING l.token, before.until_receipt",
	INT8ARRAYOID, INT4OID, INT8OID);

/* One call: the group and the distinct tokens, ascending. */
typedef struct Answer
{
	ConsumerGroup *group;
	int64	   *tokens;
	int			n;
} Answer;

/* Sort and remove duplicates; returns the number of values left. */
static int
sort_unique(int64 *values, int n)
{
	int			kept = 0;
	int			i;

	qsort(values, n, sizeof(int64), id_compare);
	for (i = 0; i < n; i++)
	{
		if (kept == 0 || values[kept - 1] != values[i])
			values[kept++] = values[i];
	}
	return kept;
}

static void
read_tokens(FunctionCallInfo fcinfo, Answer *answer)
{
	ArrayType  *array;
	Datum	   *datums;
	int			i;

	arg_not_null(fcinfo, 1, "tokens");
	array = PG_GETARG_ARRAYTYPE_P(1);
	arg_no_null_elements(array, "tokens", "Pass the tokens returned by order_ext.receive().");
	deconstruct_array(array, INT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &datums, NULL,
					  &answer->n);
	answer->tokens = palloc(sizeof(int64) * Max(answer->n, 1));
	for (i = 0; i < answer->n; i++)
		answer->tokens[i] = DatumGetInt64(datums[i]);
	answer->n = sort_unique(answer->tokens, answer->n);
}

static void
answer_begin(FunctionCallInfo fcinfo, const char *call, Answer *answer)
{
	char	   *name = arg_text(fcinfo, 0, "consumer_group", MAX_NAME_CHARS);

	read_tokens(fcinfo, answer);
	PreventCommandIfReadOnly(call);
	small_tables_check_snapshot();
	answer->group = leases_open_group(name);
	/* what we write must not outlive the group: keep it until we are done */
	lock_wait_share(LOCK_CONSUMERS, answer->group->id);
	AcceptInvalidationMessages();
	answer->group = leases_open_group(name);
}

/* The last query returned the existing leases, by token: raise OE702 unless all are there. */
static void
check_none_is_lost(const Answer *answer, int found)
{
	int64	   *there = palloc(sizeof(int64) * Max(found, 1));
	ErrorFactList lost = {0};
	int			n_lost = 0;
	int			i;

	if (found == answer->n)
		return;
	for (i = 0; i < found; i++)
		there[i] = row_int64(i, 1);
	qsort(there, found, sizeof(int64), id_compare);
	for (i = 0; i < answer->n; i++)
	{
		if (bsearch(&answer->tokens[i], there, found, sizeof(int64), id_compare) != NULL)
			continue;
		if (n_lost < TOKENS_SHOWN)
			error_facts_add(&lost, ", ", "{}", FACT_ID("", answer->tokens[i]));
		n_lost++;
	}
	ereport(ERROR,
			(errcode(ERRCODE_OE_LEASE_LOST),
			 errmsg("lease lost"),
			 error_facts(n_lost > TOKENS_SHOWN
						 ? "Consumer group \"{consumer_group}\" has no lease with {lost} of the "
						 "{count} tokens: {tokens} ...."
						 : "Consumer group \"{consumer_group}\" has no lease with {lost} of the "
						 "{count} tokens: {tokens}.",
						 FACT_TEXT("consumer_group", answer->group->name),
						 FACT_INT("lost", n_lost), FACT_INT("count", answer->n),
						 FACT_LIST("tokens", &lost)),
			 errhint("Roll back what was done for these messages; they have been delivered again "
					 "or already answered.")));
}

/* Column 2 of the last query contains receipts that may no longer be named by any lease. */
static void
sweep_receipts(int64 *receipts, int n)
{
	receipts_sweep(receipts, sort_unique(receipts, n));
}

static int64 *
receipts_found(int n)
{
	int64	   *receipts = palloc(sizeof(int64) * Max(n, 1));
	int			i;

	for (i = 0; i < n; i++)
		receipts[i] = row_int64(i, 2);
	return receipts;
}

/* End the leases; returns their messages, with payloads only if needed. */
static Delivery *
take_back(const Answer *answer, bool with_payload)
{
	Delivery   *deliveries = palloc0(sizeof(Delivery) * Max(answer->n, 1));
	int64	   *receipts;
	Datum		values[2];
	int			found;
	int			i;

	values[0] = int64_array(answer->tokens, answer->n);
	values[1] = Int32GetDatum(answer->group->id);
	found = (int) plan_write(&end_leases, values, NULL, 0);
	check_none_is_lost(answer, found);
	receipts = receipts_found(found);
	for (i = 0; i < found; i++)
	{
		Message    *message = &deliveries[i].message;

		message->id = row_int64(i, 3);
		deliveries[i].started_at = row_timestamptz(i, 4);
		message->attempt = row_int32(i, 5);
		message->topic_id = row_int32(i, 6);
		message->key = row_int64(i, 7);
		message->published_at = row_timestamptz(i, 8);
		message->payload = with_payload ? row_jsonb(i, 9) : NULL;
	}
	sweep_receipts(receipts, found);
	return deliveries;
}

/* ---- ack ---- */

static Datum
ack_body(FunctionCallInfo fcinfo)
{
	Answer		answer;
	EngineScope scope;
	Delivery   *deliveries;

	answer_begin(fcinfo, "ack()", &answer);
	if (answer.n == 0)
		return Int32GetDatum(0);
	engine_enter(&scope);
	deliveries = take_back(&answer, false);
	delivery_record_attempts(answer.group, deliveries, answer.n, "done", NULL, NULL);
	if (answer.group->ordered)
		wake_note_topic(answer.group->topic_id);	/* a waiting consumer may find a key free */
	engine_leave(&scope);
	return Int32GetDatum(answer.n);
}

PG_FUNCTION_INFO_V1(order_ext_ack);
Datum
order_ext_ack(PG_FUNCTION_ARGS)
{
	return api_call(fcinfo, ack_body);
}

/* ---- nack ---- */

/*
 * The reason of a failure is evidence, not a request: any text is accepted. NULL if there is
 * none.
 */
static char *
arg_error(FunctionCallInfo fcinfo, int n)
{
	text	   *error;

	if (PG_ARGISNULL(n))
		return NULL;
	error = PG_GETARG_TEXT_P_SLICE(n, 0, NACK_ERROR_BYTES);
	return VARSIZE_ANY_EXHDR(error) > 0 ? text_to_cstring(error) : NULL;
}

static Datum
nack_body(FunctionCallInfo fcinfo)
{
	Answer		answer;
	EngineScope scope;
	Delivery   *deliveries;
	char	   *error;
	int64		delay;
	int			i;

	answer_begin(fcinfo, "nack()", &answer);
	delay = PG_ARGISNULL(2) ? -1 : arg_duration(fcinfo, 2, "retry_after", 0);
	error = arg_error(fcinfo, 3);
	if (answer.n == 0)
		return Int32GetDatum(0);
	engine_enter(&scope);
	deliveries = take_back(&answer, true);
	for (i = 0; i < answer.n; i++)
		delivery_nacked(answer.group, &deliveries[i], error, delay);
	engine_leave(&scope);
	return Int32GetDatum(answer.n);
}

PG_FUNCTION_INFO_V1(order_ext_nack);
Datum
order_ext_nack(PG_FUNCTION_ARGS)
{
	return api_call(fcinfo, nack_body);
}

/* ---- extend_lease ---- */

static Datum
extend_lease_body(FunctionCallInfo fcinfo)
{
	Answer		answer;
	EngineScope scope;
	int64		lease;
	int64		receipt;
	int64	   *receipts;
	Datum		values[3];
	int			found;

	answer_begin(fcinfo, "extend_lease()", &answer);
	lease = arg_duration(fcinfo, 2, "lease", 1);
	if (answer.n == 0)
		return Int32GetDatum(0);
	engine_enter(&scope);
	receipt = receipt_next();
	values[0] = int64_array(answer.tokens, answer.n);
	values[1] = Int32GetDatum(answer.group->id);
	values[2] = Int64GetDatum(receipt);
	found = (int) plan_write(&move_leases, values, NULL, 0);
	check_none_is_lost(&answer, found);
	receipts = receipts_found(found);
	sweep_receipts(receipts, found);
	receipt_note(receipt, answer.group->id, lease, answer.tokens, answer.n);
	engine_leave(&scope);
	return Int32GetDatum(answer.n);
}

PG_FUNCTION_INFO_V1(order_ext_extend_lease);
Datum
order_ext_extend_lease(PG_FUNCTION_ARGS)
{
	return api_call(fcinfo, extend_lease_body);
}

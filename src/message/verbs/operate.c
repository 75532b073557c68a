/*
 * operate.c
 *		pause, resume and redrive: what operators do with consumer groups.
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "core/args.h"
#include "core/call.h"
#include "core/error_facts.h"
#include "core/spi_util.h"
#include "message/base/catalog.h"
#include "message/base/limits.h"
#include "message/base/wake.h"
#include "message/log/dedup_free.h"
#include "message/log/floors.h"
#include "message/verbs/operate.h"

/* Maximum number of message ids in one call. */
#define MAX_MESSAGE_IDS 100000

static SavedPlan set_paused = SAVED_PLAN(
	"UPDATE order_ext_internal.consumer_groups SET paused = $2 WHERE name = $1",
	TEXTOID, BOOLOID);

#define FIND_GROUP \
	"SELECT group_id, topic_id FROM order_ext_internal.consumer_groups WHERE name = $1"

static SavedPlan find_group = SAVED_PLAN(FIND_GROUP, TEXTOID);

/* Redriven messages must not outlive the group; pause() and the like are not blocked. */
static SavedPlan keep_group = SAVED_PLAN(FIND_GROUP " FOR KEY SHARE", TEXTOID);

#define PICKED_FOR_REDRIVE PICKED_DEAD_IF(" AND NOT " KEY_TAKEN("d.message_id"))

static SavedPlan count_picked = COUNT_PICKED(PICKED_FOR_REDRIVE);

static SavedPlan picked_ids = SAVED_PLAN(
	"SELECT array_agg(message_id) FROM (SELECT message_id" PICKED_FOR_REDRIVE ") d",
	INT4OID, INT4OID, INT8ARRAYOID);

/*
 * A concurrent redrive of the same messages waits for the rows and then finds them deleted. Due
 * times follow the order in which they died, since retries are run by due time.
 */
static SavedPlan redrive_picked = SAVED_PLAN(
	"WITH picked AS MATERIALIZED (SELECT message_id" PICKED_FOR_REDRIVE " FOR UPDATE),"
	" gone AS ("
	"	DELETE FROM order_ext_internal.dead_messages d USING picked"
	"	WHERE d.group_id = $1 AND d.message_id = picked.message_id"
	"	RETURNING d.*)"
	" INSERT INTO order_ext_internal.retries (message_id, group_id, topic_id, key, published_at,"
	"	due_at, attempts, busy, payload, last_error, last_sqlstate)"
	" SELECT message_id, group_id, topic_id, key, published_at,"
	"	statement_timestamp() - interval '1 microsecond'"
	"		* (count(*) OVER () - row_number() OVER (ORDER BY died_at, message_id)),"
	"	0, 0, payload, last_error, last_sqlstate"
	" FROM gone",
	INT4OID, INT4OID, INT8ARRAYOID);

/* ---- pause, resume ---- */

/*
 * This does not wait for a batch in progress: pausing must work even while a handler hangs. The
 * batch is finished, or fails, and no further one is begun.
 */
static void
change_paused(FunctionCallInfo fcinfo, bool paused)
{
	char	   *name = arg_text(fcinfo, 0, "consumer_group", MAX_NAME_CHARS);
	Datum		values[2];

	values[0] = CStringGetTextDatum(name);
	values[1] = BoolGetDatum(paused);
	if (plan_write(&set_paused, values, NULL, 0) == 0)
		catalog_refuse_unknown_group(name);
	catalog_changed("consumer_groups");
}

static Datum
pause_body(FunctionCallInfo fcinfo)
{
	change_paused(fcinfo, true);
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(order_ext_pause);
Datum
order_ext_pause(PG_FUNCTION_ARGS)
{
	api_call(fcinfo, pause_body);
	PG_RETURN_VOID();
}

static Datum
resume_body(FunctionCallInfo fcinfo)
{
	change_paused(fcinfo, false);
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(order_ext_resume);
Datum
order_ext_resume(PG_FUNCTION_ARGS)
{
	api_call(fcinfo, resume_body);
	PG_RETURN_VOID();
}

/* ---- redrive ---- */

Datum
operate_arg_message_ids(FunctionCallInfo fcinfo, int n, char *null)
{
	ArrayType  *ids;

	*null = PG_ARGISNULL(n) ? 'n' : ' ';
	if (PG_ARGISNULL(n))
		return (Datum) 0;
	ids = PG_GETARG_ARRAYTYPE_P(n);
	if (ARR_NDIM(ids) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"message_ids\" must be a one-dimensional array"),
				 error_facts("It has {dimensions} dimensions.",
							 FACT_TEXT("argument", "message_ids"),
							 FACT_INT("dimensions", ARR_NDIM(ids))),
				 errhint("Pass an array such as ARRAY[1, 2, 3].")));
	arg_no_null_elements(ids, "message_ids",
						 "Omit the null values; pass a null array for all messages.");
	if (ArrayGetNItems(ARR_NDIM(ids), ARR_DIMS(ids)) > MAX_MESSAGE_IDS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("argument \"message_ids\" has more than %d elements", MAX_MESSAGE_IDS),
				 error_facts("It has {elements} elements.",
							 FACT_TEXT("argument", "message_ids"),
							 FACT_INT("max", MAX_MESSAGE_IDS),
							 FACT_INT("elements", ArrayGetNItems(ARR_NDIM(ids), ARR_DIMS(ids)))),
				 errhint("Call the function several times.")));
	return PointerGetDatum(ids);
}

uint64
operate_count_picked(SavedPlan *count_picked, const Datum *values, const char *nulls)
{
	plan_query(count_picked, values, nulls, 0);
	return (uint64) row_int64(0, 1);
}

/* Their keys are no longer free. */
static void
hold_keys(const Datum *values, const char *nulls)
{
	plan_query(&picked_ids, values, nulls, 0);
	if (!row_is_null(0, 1))
		dedup_free_no_more(DatumGetInt32(values[0]), row_array(0, 1));
}

static Datum
redrive_body(FunctionCallInfo fcinfo)
{
	char	   *name = arg_text(fcinfo, 0, "consumer_group", MAX_NAME_CHARS);
	Datum		group_name = CStringGetTextDatum(name);
	Datum		values[3] = {0};
	char		nulls[] = " nn";
	int32		topic_id;
	bool		dry_run;
	uint64		n;

	if (!PG_ARGISNULL(1))
	{
		values[1] = Int32GetDatum(arg_count(fcinfo, 1, "max_messages", PG_INT32_MAX));
		nulls[1] = ' ';
	}
	values[2] = operate_arg_message_ids(fcinfo, 2, &nulls[2]);
	arg_not_null(fcinfo, 3, "dry_run");
	dry_run = PG_GETARG_BOOL(3);
	if (plan_query(dry_run ? &find_group : &keep_group, &group_name, NULL, 1) == 0)
		catalog_refuse_unknown_group(name);
	values[0] = Int32GetDatum(row_int32(0, 1));
	topic_id = row_int32(0, 2);
	if (dry_run)
		n = operate_count_picked(&count_picked, values, nulls);
	else
	{
		hold_keys(values, nulls);
		n = plan_write(&redrive_picked, values, nulls, 0);
		floors_lower();
		wake_note_topic(topic_id);
	}
	return Int32GetDatum((int32) Min(n, PG_INT32_MAX));
}

PG_FUNCTION_INFO_V1(order_ext_redrive);
Datum
order_ext_redrive(PG_FUNCTION_ARGS)
{
	return api_call(fcinfo, redrive_body);
}

/*
 * retries.c
 *		Handling messages that did not simply succeed; see retries.h.
 *
 * A row of retries is never updated: it is deleted and, if necessary, inserted again. That is
 * done directly on the heap, since no other process touches the group's rows while we hold the
 * group's lock.
 */
#include "compat.h"

#include <math.h>

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "core/alert.h"
#include "core/append.h"
#include "core/error_facts.h"
#include "core/errors.h"
#include "core/internal.h"
#include "core/interval.h"
#include "core/jsonb_build.h"
#include "message/base/limits.h"
#include "message/base/wake.h"
#include "message/delivery/retries.h"
#include "message/log/append.h"
#include "message/log/dedup_free.h"
#include "message/log/floors.h"
#include "message/log/segments.h"

/* Columns of retries. */
enum
{
	RETRY_MESSAGE_ID = 1,
	RETRY_GROUP_ID,
	RETRY_TOPIC_ID,
	RETRY_KEY,
	RETRY_PUBLISHED_AT,
	RETRY_DUE_AT,
	RETRY_ATTEMPTS,
	RETRY_BUSY,
	RETRY_PAYLOAD,
	RETRY_LAST_ERROR,
	RETRY_LAST_SQLSTATE,
	RETRY_COLUMNS = RETRY_LAST_SQLSTATE
};

/* Longest error text in the server's log, in bytes. */
#define MAX_LOGGED_BYTES 200

#define SECOND USECS_PER_SEC
#define LONGEST_DELAY (INT64CONST(10) * 365 * 86400 * USECS_PER_SEC)

/* ---- reading ---- */

/* The group's rows by due_at, except those below the floor. */
static SysScanDesc
scan_due_index(Relation rel, Relation index, const ConsumerGroup *group, const LogPart *part,
			   TimestampTz now)
{
	ScanKeyData keys[2];
	TimestampTz floor = floor_of(FLOOR_RETRIES, group->id, part, now);

	ScanKeyInit(&keys[0], RETRY_GROUP_ID, BTEqualStrategyNumber, F_INT4EQ,
				Int32GetDatum(group->id));
	ScanKeyInit(&keys[1], RETRY_DUE_AT, BTGreaterEqualStrategyNumber, F_TIMESTAMPTZ_GE,
				TimestampTzGetDatum(floor));
	return systable_beginscan_ordered(rel, index, GetActiveSnapshot(), lengthof(keys), keys);
}

/* In groups with handlers, rows are inserted by the holder of the lock; in others, by nack(). */
static void
raise_floor(const ConsumerGroup *group, const LogPart *part, TimestampTz now, TimestampTz first_due)
{
	if (catalog_group_is_external(group))
		now -= FLOOR_SLACK;
	floor_raise(FLOOR_RETRIES, group->id, part, Min(first_due, now));
}

static TimestampTz
row_due_at(HeapTuple tuple, TupleDesc tupdesc)
{
	bool		isnull;

	return DatumGetTimestampTz(heap_getattr(tuple, RETRY_DUE_AT, tupdesc, &isnull));
}

static void
delivery_from_row(Delivery *delivery, HeapTuple tuple, TupleDesc tupdesc)
{
	Datum		values[RETRY_COLUMNS];
	bool		nulls[RETRY_COLUMNS];

	heap_deform_tuple(tuple, tupdesc, values, nulls);
	memset(delivery, 0, sizeof(Delivery));
	delivery->message.id = DatumGetInt64(values[RETRY_MESSAGE_ID - 1]);
	delivery->message.topic_id = DatumGetInt32(values[RETRY_TOPIC_ID - 1]);
	delivery->message.key = DatumGetInt64(values[RETRY_KEY - 1]);
	delivery->message.payload = DatumGetJsonbPCopy(values[RETRY_PAYLOAD - 1]);
	delivery->message.attempt = DatumGetInt32(values[RETRY_ATTEMPTS - 1]) + 1;
	delivery->message.published_at = DatumGetTimestampTz(values[RETRY_PUBLISHED_AT - 1]);
	delivery->is_retry = true;
	delivery->tid = tuple->t_self;
	delivery->busy = DatumGetInt16(values[RETRY_BUSY - 1]);
	if (!nulls[RETRY_LAST_ERROR - 1])
		delivery->last_error = TextDatumGetCString(values[RETRY_LAST_ERROR - 1]);
	if (!nulls[RETRY_LAST_SQLSTATE - 1])
		delivery->last_sqlstate = TextDatumGetCString(values[RETRY_LAST_SQLSTATE - 1]);
}

static bool
row_is_of_part(HeapTuple tuple, TupleDesc tupdesc, const LogPart *part)
{
	bool		isnull;

	return part->parts == 1 ||
		log_part_has(part, DatumGetInt64(heap_getattr(tuple, RETRY_KEY, tupdesc, &isnull)));
}

/*
 * The snapshot is taken under the table's lock, and the lock is kept if rows were found, since
 * their positions must not change: see upkeep/compact.c.
 */
int
retries_due(const ConsumerGroup *group, const LogPart *part, TimestampTz now, int limit,
			Delivery *deliveries, bool *more)
{
	Relation	rel = table_open(internal_relation("retries"), AccessShareLock);
	Relation	index = index_open(internal_relation("retries_due"), AccessShareLock);
	SysScanDesc scan;
	TimestampTz first_due = DT_NOEND;
	Size		room = BATCH_BYTES;
	HeapTuple	tuple;
	int			n = 0;

	PushActiveSnapshot(GetTransactionSnapshot());
	scan = scan_due_index(rel, index, group, part, now);
	while (n < limit && room > 0 &&
		   (tuple = systable_getnext_ordered(scan, ForwardScanDirection)) != NULL)
	{
		TimestampTz due_at = row_due_at(tuple, RelationGetDescr(rel));

		if (due_at > now)
			break;
		if (!row_is_of_part(tuple, RelationGetDescr(rel), part))
			continue;
		first_due = Min(first_due, due_at);
		delivery_from_row(&deliveries[n], tuple, RelationGetDescr(rel));
		room -= Min(room, VARSIZE(deliveries[n].message.payload));
		n++;
	}
	systable_endscan_ordered(scan);
	PopActiveSnapshot();
	*more = n == limit || room == 0;
	raise_floor(group, part, now, first_due);
	index_close(index, n > 0 ? NoLock : AccessShareLock);
	table_close(rel, n > 0 ? NoLock : AccessShareLock);
	return n;
}

TimestampTz
retries_next_due(const ConsumerGroup *group, const LogPart *part)
{
	TimestampTz now = GetCurrentTimestamp();
	Relation	rel = table_open(internal_relation("retries"), AccessShareLock);
	Relation	index = index_open(internal_relation("retries_due"), AccessShareLock);
	SysScanDesc scan;
	HeapTuple	tuple;
	TimestampTz due = DT_NOEND;

	PushActiveSnapshot(GetTransactionSnapshot());
	scan = scan_due_index(rel, index, group, part, now);
	while ((tuple = systable_getnext_ordered(scan, ForwardScanDirection)) != NULL &&
		   !row_is_of_part(tuple, RelationGetDescr(rel), part))
		;
	if (tuple != NULL)
		due = row_due_at(tuple, RelationGetDescr(rel));
	systable_endscan_ordered(scan);
	PopActiveSnapshot();
	raise_floor(group, part, now, due);
	index_close(index, AccessShareLock);
	table_close(rel, AccessShareLock);
	return due;
}

/* ---- writing ---- */

/*
 * Take the message out of retries or parked_messages, if it comes from there. Only a transaction
 * whose snapshot is older than its lock on the group can find the row deleted.
 */
static void
leave_retries(const Delivery *delivery)
{
	Relation	rel;
	ItemPointerData tid = delivery->tid;
	TM_FailureData failure;

	if (!delivery->is_retry && !delivery->was_parked)
		return;
	rel = table_open(internal_relation(delivery->is_retry ? "retries" : "parked_messages"),
					 RowExclusiveLock);
	if (table_tuple_delete(rel, &tid, GetCurrentCommandId(true), InvalidSnapshot,
						   InvalidSnapshot, true, &failure, false) != TM_Ok)
		error_conflict("the retry was run by another transaction");
	table_close(rel, NoLock);
	CommandCounterIncrement();
}

/* A text column of limited size, truncated at a character boundary. */
static Datum
short_text(const char *text, bool *isnull)
{
	int			length;

	*isnull = (text == NULL);
	if (text == NULL)
		return (Datum) 0;
	length = strlen(text);
	if (length > MAX_ERROR_BYTES)
		length = pg_mbcliplen(text, length, MAX_ERROR_BYTES);
	return PointerGetDatum(cstring_to_text_with_len(text, length));
}

void
delivery_record_attempts(const ConsumerGroup *group, const Delivery *deliveries, int n,
						 const char *state, const char *error, const char *sqlstate)
{
	Appender   *appender = append_open(psprintf("attempts_%d", log_current_segment()));
	Datum		values[9];
	bool		nulls[9] = {false};
	int			i;

	values[1] = Int32GetDatum(group->id);
	values[5] = TimestampTzGetDatum(GetCurrentTimestamp());
	values[6] = CStringGetTextDatum(state);
	values[7] = short_text(error, &nulls[7]);
	values[8] = short_text(sqlstate, &nulls[8]);
	for (i = 0; i < n; i++)
	{
		values[0] = Int64GetDatum(deliveries[i].message.id);
		values[2] = Int32GetDatum(deliveries[i].message.attempt);
		values[3] = Int32GetDatum(deliveries[i].worker != 0 ? deliveries[i].worker : MyProcPid);
		values[4] = TimestampTzGetDatum(deliveries[i].started_at);
		append_row(appender, values, nulls);
	}
	append_close(appender);
}

static void
append_attempt(const ConsumerGroup *group, const Delivery *delivery, const char *state,
			   const char *error, const char *sqlstate)
{
	delivery_record_attempts(group, delivery, 1, state, error, sqlstate);
}

static void
append_retry(const ConsumerGroup *group, const Delivery *delivery, int attempts, int busy,
			 TimestampTz due_at, const char *error, const char *sqlstate)
{
	Appender   *appender = append_open("retries");
	const Message *message = &delivery->message;
	Datum		values[RETRY_COLUMNS];
	bool		nulls[RETRY_COLUMNS] = {false};

	values[RETRY_MESSAGE_ID - 1] = Int64GetDatum(message->id);
	values[RETRY_GROUP_ID - 1] = Int32GetDatum(group->id);
	values[RETRY_TOPIC_ID - 1] = Int32GetDatum(message->topic_id);
	values[RETRY_KEY - 1] = Int64GetDatum(message->key);
	values[RETRY_PUBLISHED_AT - 1] = TimestampTzGetDatum(message->published_at);
	values[RETRY_DUE_AT - 1] = TimestampTzGetDatum(due_at);
	values[RETRY_ATTEMPTS - 1] = Int32GetDatum(attempts);
	values[RETRY_BUSY - 1] = Int16GetDatum(busy);
	values[RETRY_PAYLOAD - 1] = JsonbPGetDatum(message->payload);
	values[RETRY_LAST_ERROR - 1] = short_text(error, &nulls[RETRY_LAST_ERROR - 1]);
	values[RETRY_LAST_SQLSTATE - 1] = short_text(sqlstate, &nulls[RETRY_LAST_SQLSTATE - 1]);
	append_row(appender, values, nulls);
	append_close(appender);

	/* this process may not be the one that will run it */
	wake_note_topic(message->topic_id);
}

static void
append_dead(const ConsumerGroup *group, const Delivery *delivery, const char *error,
			const char *sqlstate)
{
	Appender   *appender = append_open("dead_messages");
	const Message *message = &delivery->message;
	Datum		values[10];
	bool		nulls[10] = {false};

	values[0] = Int64GetDatum(message->id);
	values[1] = Int32GetDatum(group->id);
	values[2] = Int32GetDatum(message->topic_id);
	values[3] = Int64GetDatum(message->key);
	values[4] = TimestampTzGetDatum(message->published_at);
	values[5] = TimestampTzGetDatum(GetCurrentTimestamp());
	values[6] = Int32GetDatum(message->attempt);
	values[7] = JsonbPGetDatum(message->payload);
	values[8] = short_text(error, &nulls[8]);
	values[9] = short_text(sqlstate, &nulls[9]);
	append_row(appender, values, nulls);
	append_close(appender);
}

/* Alert the operators; but not about dead alerts, to avoid an endless loop. */
static void
publish_alert(const ConsumerGroup *group, const Delivery *delivery, const char *error,
			  const char *sqlstate)
{
	const Message *message = &delivery->message;
	const Topic *topic = catalog_topic_by_id(message->topic_id);
	MessageDraft alert = {.topic_id = ALERT_TOPIC_ID, .key = message->key};
	JsonbBuilder *payload;

	if (message->topic_id == ALERT_TOPIC_ID)
		return;
	payload = jsonb_object_begin();
	jsonb_add_text(payload, "consumer_group", group->name);
	jsonb_add_text(payload, "topic", topic != NULL ? topic->name : NULL);
	jsonb_add_id(payload, "key", message->key);
	jsonb_add_id(payload, "message_id", message->id);
	jsonb_add_int(payload, "attempts", message->attempt);
	jsonb_add_text(payload, "error", error);
	jsonb_add_text(payload, "sqlstate", sqlstate);
	alert.payload = alert_end(payload, ALERT_DEAD_LETTER);
	message_publish(&alert, 1);
}

/* ---- delays ---- */

/* 1 s, 2 s, 4 s ... 2 h, with full jitter. */
static int64
exponential_delay(int attempt)
{
	double		longest = Min(7200.0, ldexp(1.0, Min(attempt, 14) - 1));
	double		chosen = random_fraction() * longest;

	return (int64) (chosen * SECOND);
}

static int64
rocketmq_delay(int attempt)
{
	static const int seconds[] = {
		10, 30, 60, 120, 180, 240, 300, 360, 420, 480, 540, 600, 1200, 1800, 3600, 7200
	};

	return seconds[Min(attempt, (int) lengthof(seconds)) - 1] * SECOND;
}

static int64
backoff_delay(const ConsumerGroup *group, int attempt)
{
	if (group->backoff == BACKOFF_ROCKETMQ)
		return rocketmq_delay(attempt);
	return exponential_delay(attempt);
}

/* The interval that the handler gave in DETAIL; false if it is none. */
static bool
asked_delay(const char *detail, int64 *delay)
{
	double		usecs;

	if (detail == NULL || !interval_read(detail, &usecs))
		return false;
	*delay = (int64) Max(0.0, Min(usecs, (double) LONGEST_DELAY));
	return true;
}

/* ---- outcomes ---- */

void
delivery_done(const ConsumerGroup *group, Delivery *delivery)
{
	leave_retries(delivery);
	if (delivery->is_retry || delivery->message.attempt > 1)
		append_attempt(group, delivery, "done", NULL, NULL);
}

void
delivery_busy(const ConsumerGroup *group, Delivery *delivery, int min_delay_ms)
{
	int			delay_ms = Min(1000, Max(min_delay_ms, 100 << Min(delivery->busy, 4)));

	leave_retries(delivery);
	append_retry(group, delivery, delivery->message.attempt - 1,
				 Min(delivery->busy + 1, PG_INT16_MAX),
				 TimestampTzPlusMilliseconds(GetCurrentTimestamp(), delay_ms),
				 delivery->last_error, delivery->last_sqlstate);
}

void
delivery_again(const ConsumerGroup *group, Delivery *delivery)
{
	leave_retries(delivery);
	append_retry(group, delivery, delivery->message.attempt - 1, delivery->busy,
				 GetCurrentTimestamp(), delivery->last_error, delivery->last_sqlstate);
}

void
delivery_buried(const ConsumerGroup *group, Delivery *delivery, const Failure *failure)
{
	const char *sqlstate = failure->sqlstate != 0 ? unpack_sql_state(failure->sqlstate) : NULL;
	int			shown = pg_mbcliplen(failure->message, strlen(failure->message), MAX_LOGGED_BYTES);

	leave_retries(delivery);
	append_dead(group, delivery, failure->message, sqlstate);
	dedup_free_given_up(delivery->message.topic_id, group->id, delivery->message.id);
	publish_alert(group, delivery, failure->message, sqlstate);
	ereport(LOG,
			(errmsg("message " INT64_FORMAT " of consumer group \"%s\" became a dead letter after "
					"%d attempts",
					delivery->message.id, group->name, delivery->message.attempt),
			 error_facts("{sqlstate}: {message}",
						 FACT_ID("message_id", delivery->message.id),
						 FACT_TEXT("consumer_group", group->name),
						 FACT_TEXT("sqlstate", sqlstate != NULL ? sqlstate : "nack"),
						 FACT_TEXT("message", pnstrdup(failure->message, shown)))));
}

void
delivery_dead(const ConsumerGroup *group, Delivery *delivery, const Failure *failure)
{
	append_attempt(group, delivery, "dead", failure->message,
				   failure->sqlstate != 0 ? unpack_sql_state(failure->sqlstate) : NULL);
	delivery_buried(group, delivery, failure);
}

void
delivery_nacked(const ConsumerGroup *group, Delivery *delivery, const char *error, int64 delay)
{
	int			attempt = delivery->message.attempt;
	TimestampTz due_at;

	if (attempt >= group->max_attempts)
	{
		Failure		failure = {.sqlstate = 0};

		failure.message = pstrdup(error != NULL ? error : "(no error given)");
		delivery_dead(group, delivery, &failure);
		return;
	}
	if (delay < 0)
		delay = backoff_delay(group, attempt);
	due_at = GetCurrentTimestamp() + Min(delay, LONGEST_DELAY);
	append_attempt(group, delivery, "retry", error, NULL);
	append_retry(group, delivery, attempt, 0, due_at, error, NULL);
	floors_row_inserted(due_at);
}

bool
delivery_failed(const ConsumerGroup *group, Delivery *delivery, const Failure *failure)
{
	const char *sqlstate = unpack_sql_state(failure->sqlstate);
	int			attempt = delivery->message.attempt;
	int64		delay;

	if (failure->sqlstate == ERRCODE_OE_HANDLER_DISCARD)
	{
		leave_retries(delivery);
		append_attempt(group, delivery, "discarded", failure->message, sqlstate);
		dedup_free_given_up(delivery->message.topic_id, group->id, delivery->message.id);
		return true;
	}
	if (failure->sqlstate == ERRCODE_OE_HANDLER_DEAD || attempt >= group->max_attempts)
	{
		delivery_dead(group, delivery, failure);
		return false;
	}
	if (failure->sqlstate != ERRCODE_OE_HANDLER_DELAY || !asked_delay(failure->detail, &delay))
		delay = backoff_delay(group, attempt);
	leave_retries(delivery);
	append_attempt(group, delivery, "retry", failure->message, sqlstate);
	append_retry(group, delivery, attempt, 0, GetCurrentTimestamp() + delay,
				 failure->message, sqlstate);
	return false;
}

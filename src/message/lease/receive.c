/*
 * receive.c
 *		receive(): leases messages to an external consumer; see leases.h.
 *
 * First come expired leases and due retries, then messages parked in an ordered group, then the
 * log, which is read and recorded as for any other group (delivery/pass.c), except that the
 * messages are leased instead of handled.
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/tuplestore.h"

#include "core/append.h"
#include "core/args.h"
#include "core/call.h"
#include "core/errors.h"
#include "core/locks.h"
#include "core/spi_util.h"
#include "message/base/catalog.h"
#include "message/base/engine.h"
#include "message/base/limits.h"
#include "message/base/small_tables.h"
#include "message/delivery/pass.h"
#include "message/delivery/retries.h"
#include "message/lease/key_order.h"
#include "message/lease/leases.h"
#include "message/lease/receipts.h"
#include "message/lease/take.h"
#include "message/log/floors.h"
#include "message/upkeep/enable.h"

/* Maximum number of expired receipts that one receive() processes. */
#define RECEIPTS_A_CALL 64

static SavedPlan find_ended_receipts = SAVED_PLAN(
	"SELECT receipt, tokens IS NOT NULL FROM order_ext_internal.lease_receipts"
	" WHERE group_id = $1 AND lease_until <= $2 AND lease_until >= $4"
	" ORDER BY lease_until LIMIT $3",
	INT4OID, TIMESTAMPTZOID, INT4OID, TIMESTAMPTZOID);

static SavedPlan lock_ended_leases = SAVED_PLAN(
	"SELECT l.token, l.message_id, l.topic_id, l.key, l.published_at, l.leased_at, l.attempt,"
	"  l.payload"
	" FROM order_ext_internal.leases l"
	" WHERE " OF_RECEIPT("$1") " AND l.until_receipt = $1"
	" ORDER BY l.token LIMIT $2 FOR UPDATE SKIP LOCKED",
	INT8OID, INT4OID);

static SavedPlan lock_ended_extended_leases = SAVED_PLAN(
	"SELECT l.token, l.message_id, l.topic_id, l.key, l.published_at, l.leased_at, l.attempt,"
	"  l.payload"
	" FROM order_ext_internal.leases l"
	" WHERE l.token = ANY ((SELECT tokens FROM order_ext_internal.lease_receipts"
	"   WHERE receipt = $1)::bigint[]) AND l.until_receipt = $1"
	" ORDER BY l.token LIMIT $2 FOR UPDATE SKIP LOCKED",
	INT8OID, INT4OID);

static SavedPlan delete_leases = SAVED_PLAN(
	"DELETE FROM order_ext_internal.leases WHERE token = ANY ($1)",
	INT8ARRAYOID);

static SavedPlan lock_due_retries = SAVED_PLAN(
	"SELECT message_id, topic_id, key, published_at, attempts, payload"
	" FROM order_ext_internal.retries"
	" WHERE group_id = $1 AND due_at <= $2 AND due_at >= $4"
	" ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED",
	INT4OID, TIMESTAMPTZOID, INT4OID, TIMESTAMPTZOID);

static SavedPlan delete_retries = SAVED_PLAN(
	"DELETE FROM order_ext_internal.retries WHERE group_id = $1 AND message_id = ANY ($2)",
	INT4OID, INT8ARRAYOID);

/* Maximum number and length of the slices of a part of the log that one receive() reads. */
#define SLICES_A_CALL 8
#define MAX_SLICE 1000

/* Number of messages after which a receive() stops parking. */
#define PARKED_A_CALL 5000

/* Columns of leases. */
enum
{
	LEASE_TOKEN = 1,
	LEASE_MESSAGE_ID,
	LEASE_KEY,
	LEASE_PUBLISHED_AT,
	LEASE_LEASED_AT,
	LEASE_UNTIL_RECEIPT,
	LEASE_GROUP_ID,
	LEASE_TOPIC_ID,
	LEASE_ATTEMPT,
	LEASE_PAYLOAD,
	LEASE_COLUMNS = LEASE_PAYLOAD
};

/* One call of receive. */
typedef struct Receiver
{
	ReturnSetInfo *result;
	ConsumerGroup *group;
	char	   *topic;
	TimestampTz now;
	int64		receipt;		/* 0 until the first lease */
	int			n;				/* leases so far */
	int			room;			/* ... and how many more are allowed */
	Size		bytes;			/* bytes of payload that may still be leased or parked */
	int			parking;		/* messages that may still be parked */
} Receiver;

/* ---- leasing ---- */

static void
put_message(Receiver *receiver, const Message *message, int64 token)
{
	Datum		values[7];
	bool		nulls[7] = {false};

	values[0] = Int64GetDatum(message->id);
	values[1] = CStringGetTextDatum(receiver->topic);
	values[2] = Int64GetDatum(message->key);
	values[3] = JsonbPGetDatum(message->payload);
	values[4] = Int32GetDatum(message->attempt);
	values[5] = Int64GetDatum(token);
	values[6] = TimestampTzGetDatum(message->published_at);
	tuplestore_putvalues(receiver->result->setResult, receiver->result->setDesc, values, nulls);
}

static void
lease_messages(Receiver *receiver, Delivery *deliveries, int n)
{
	Appender   *appender;
	Datum		values[LEASE_COLUMNS];
	int			i;

	if (n == 0)
		return;
	if (receiver->receipt == 0)
		receiver->receipt = receipt_next();
	appender = append_open("leases");
	for (i = 0; i < n; i++)
	{
		const Message *message = &deliveries[i].message;
		int64		token = receiver->receipt * TOKENS_A_RECEIPT + receiver->n++;

		values[LEASE_TOKEN - 1] = Int64GetDatum(token);
		values[LEASE_MESSAGE_ID - 1] = Int64GetDatum(message->id);
		values[LEASE_KEY - 1] = Int64GetDatum(message->key);
		values[LEASE_PUBLISHED_AT - 1] = TimestampTzGetDatum(message->published_at);
		values[LEASE_LEASED_AT - 1] = TimestampTzGetDatum(receiver->now);
		values[LEASE_UNTIL_RECEIPT - 1] = Int64GetDatum(receiver->receipt);
		values[LEASE_GROUP_ID - 1] = Int32GetDatum(receiver->group->id);
		values[LEASE_TOPIC_ID - 1] = Int32GetDatum(message->topic_id);
		values[LEASE_ATTEMPT - 1] = Int32GetDatum(message->attempt);
		values[LEASE_PAYLOAD - 1] = JsonbPGetDatum(message->payload);
		append_row(appender, values, NULL);
		put_message(receiver, message, token);
		receiver->bytes -= Min(receiver->bytes, VARSIZE(message->payload));
	}
	append_close(appender);
	receiver->room -= n;
}

static bool
receiver_is_full(const Receiver *receiver)
{
	return receiver->room == 0 || receiver->bytes == 0 || receiver->parking == 0;
}

/* ---- expired leases ---- */

/* Returns its token. */
static int64
read_lease(uint64 row, Delivery *delivery)
{
	delivery->message.id = row_int64(row, 2);
	delivery->message.topic_id = row_int32(row, 3);
	delivery->message.key = row_int64(row, 4);
	delivery->message.published_at = row_timestamptz(row, 5);
	delivery->started_at = row_timestamptz(row, 6);
	delivery->message.attempt = row_int32(row, 7);
	delivery->message.payload = row_jsonb(row, 8);
	return row_int64(row, 1);
}

/* Their attempts have failed: deliver them again, or bury them. */
static void
lease_again(Receiver *receiver, Delivery *deliveries, int n)
{
	static const char *const error = "the lease ran out";
	const char *sqlstate = unpack_sql_state(ERRCODE_OE_LEASE_LOST);
	int			kept = 0;
	int			i;

	for (i = 0; i < n; i++)
	{
		if (deliveries[i].message.attempt >= receiver->group->max_attempts)
		{
			Failure		failure = {.sqlstate = ERRCODE_OE_LEASE_LOST, .message = pstrdup(error)};

			delivery_dead(receiver->group, &deliveries[i], &failure);
		}
		else
			deliveries[kept++] = deliveries[i];
	}
	if (kept > 0)
		delivery_record_attempts(receiver->group, deliveries, kept, "retry", error, sqlstate);
	for (i = 0; i < kept; i++)
		deliveries[i].message.attempt++;
	lease_messages(receiver, deliveries, kept);
}

static void
receive_ended_with(Receiver *receiver, SavedPlan *lock_leases, int64 receipt)
{
	Datum		values[2];
	Delivery   *deliveries;
	int64	   *tokens;
	int			n;

	values[0] = Int64GetDatum(receipt);
	values[1] = Int32GetDatum(receiver->room);
	n = take_rows(lock_leases, values, read_lease, receiver->room, receiver->bytes,
				  &deliveries, &tokens);
	if (n == 0)
		return;
	values[0] = int64_array(tokens, n);
	plan_write(&delete_leases, values, NULL, 0);
	lease_again(receiver, deliveries, n);
}

static void
receive_ended(Receiver *receiver)
{
	Datum		values[4];
	int64		receipts[RECEIPTS_A_CALL];
	bool		extended[RECEIPTS_A_CALL];
	int			n;
	int			i;

	values[0] = Int32GetDatum(receiver->group->id);
	values[1] = TimestampTzGetDatum(receiver->now);
	values[2] = Int32GetDatum(RECEIPTS_A_CALL);
	values[3] = TimestampTzGetDatum(floor_of(FLOOR_RECEIPTS, receiver->group->id, &log_all_parts,
											 receiver->now));
	n = (int) plan_query(&find_ended_receipts, values, NULL, 0);
	if (n == 0)
		floor_raise(FLOOR_RECEIPTS, receiver->group->id, &log_all_parts,
					receiver->now - FLOOR_SLACK);
	for (i = 0; i < n; i++)
	{
		receipts[i] = row_int64(i, 1);
		extended[i] = row_bool(i, 2);
	}
	for (i = 0; i < n && !receiver_is_full(receiver); i++)
		receive_ended_with(receiver,
						   extended[i] ? &lock_ended_extended_leases : &lock_ended_leases,
						   receipts[i]);
	receipts_sweep(receipts, n);
}

/* ---- retries ---- */

/* Returns its message id. */
static int64
read_retry(uint64 row, Delivery *delivery)
{
	delivery->message.id = row_int64(row, 1);
	delivery->message.topic_id = row_int32(row, 2);
	delivery->message.key = row_int64(row, 3);
	delivery->message.published_at = row_timestamptz(row, 4);
	delivery->message.attempt = row_int32(row, 5) + 1;
	delivery->message.payload = row_jsonb(row, 6);
	return delivery->message.id;
}

static void
receive_retries(Receiver *receiver)
{
	TimestampTz first;
	Datum		values[4];
	Delivery   *deliveries;
	int64	   *ids;
	int			n;

	if (receiver_is_full(receiver) ||
		(first = retries_next_due(receiver->group, &log_all_parts)) > receiver->now)
		return;
	values[0] = Int32GetDatum(receiver->group->id);
	values[1] = TimestampTzGetDatum(receiver->now);
	values[2] = Int32GetDatum(receiver->room);
	values[3] = TimestampTzGetDatum(first);
	n = take_rows(&lock_due_retries, values, read_retry, receiver->room, receiver->bytes,
				  &deliveries, &ids);
	if (n == 0)
		return;
	values[1] = int64_array(ids, n);
	plan_write(&delete_retries, values, NULL, 0);
	lease_messages(receiver, deliveries, n);
}

/* ---- parked messages whose key is free again ---- */

static void
receive_parked(Receiver *receiver)
{
	Delivery   *deliveries;
	int			n;

	if (receiver_is_full(receiver))
		return;
	n = key_order_release(receiver->group, receiver->room, receiver->bytes, &deliveries);
	if (n > 0)
		lease_messages(receiver, deliveries, n);
}

/* ---- the log ---- */

/* The receiver's room limits what is leased; what an ordered group parks is counted separately. */
static int
take_from_log(void *taker, Delivery *deliveries, int n)
{
	Receiver   *receiver = taker;
	Size		before = receiver->bytes;
	Size	   *bytes = palloc0(sizeof(Size) * (n + 1));
	int			taken = Min(n, receiver->room);
	int			kept = taken;
	int			i;

	for (i = 0; i < n; i++)
		bytes[i + 1] = bytes[i] + VARSIZE(deliveries[i].message.payload);
	if (receiver->group->ordered)
	{
		taken = n;
		kept = key_order_park(receiver->group, deliveries, &taken, receiver->room);
		receiver->parking -= Min(receiver->parking, taken - kept);
	}
	lease_messages(receiver, deliveries, kept);
	receiver->bytes = before - Min(before, bytes[taken]);
	return taken;
}

/* One slice of the log, in its own memory context. */
static bool
receive_slice(Receiver *receiver, int16 part, int limit)
{
	Pass		pass = {0};

	plan_batch_begin();
	pass.group_id = receiver->group->id;
	pass.part = part;
	pass.mode = PASS_LEASE;
	pass.limit = limit;
	pass.in_dispatch = true;
	pass.take = take_from_log;
	pass.taker = receiver;
	pass_window(&pass);
	plan_batch_end();
	return pass.more;
}

/*
 * Messages that cannot be leased are parked or belong to other parts, and are skipped in growing
 * slices; but not all of them in one call, since there may be many: the next one continues there.
 */
static void
receive_part(Receiver *receiver, int16 part)
{
	int			slice = receiver->room;
	int			i;

	for (i = 0; i < SLICES_A_CALL && !receiver_is_full(receiver); i++)
	{
		if (!receive_slice(receiver, part, Max(slice, receiver->room)))
			return;
		slice = Min(slice * 4, MAX_SLICE);
	}
}

/* A part on which another receiver is working is skipped. */
static void
receive_log(Receiver *receiver)
{
	int16		parts = receiver->group->parts;
	int16		first = MyProcPid % parts;
	int16		i;

	for (i = 0; i < parts; i++)
		receive_part(receiver, (first + i) % parts);
}

/* ---- the call ---- */

static Datum
receive_body(FunctionCallInfo fcinfo)
{
	char	   *name = arg_text(fcinfo, 0, "consumer_group", MAX_NAME_CHARS);
	int32		max_messages = arg_count(fcinfo, 1, "max_messages", MAX_RECEIVED);
	int64		lease = arg_duration(fcinfo, 2, "lease", 1);
	Receiver	receiver = {0};
	EngineScope scope;

	PreventCommandIfReadOnly("receive()");
	small_tables_check_snapshot();
	receiver.group = leases_open_group(name);
	enable_check_stamp();
	/* While we lease its messages, the group must not change. */
	if (!lock_try_share(LOCK_CONSUMERS, receiver.group->id))
		return (Datum) 0;
	AcceptInvalidationMessages();
	receiver.group = leases_open_group(name);
	if (receiver.group->paused)
		return (Datum) 0;
	receiver.result = (ReturnSetInfo *) fcinfo->resultinfo;
	receiver.topic = pstrdup(catalog_topic_by_id(receiver.group->topic_id)->name);
	receiver.now = GetCurrentTimestamp();
	receiver.room = max_messages;
	receiver.bytes = BATCH_BYTES;
	receiver.parking = PARKED_A_CALL;

	engine_enter(&scope);
	receive_ended(&receiver);
	receive_retries(&receiver);
	if (receiver.group->ordered)
		receive_parked(&receiver);
	receive_log(&receiver);
	if (receiver.receipt != 0)
		receipt_note(receiver.receipt, receiver.group->id, lease, NULL, 0);
	engine_leave(&scope);
	return (Datum) 0;
}

/* SECURITY INVOKER: the caller must be a member of the group's role. */
PG_FUNCTION_INFO_V1(order_ext_receive);
Datum
order_ext_receive(PG_FUNCTION_ARGS)
{
	InitMaterializedSRF(fcinfo, 0);
	return api_call(fcinfo, receive_body);
}

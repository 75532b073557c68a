/*
 * fulfilment.c
 *		The fulfilment machine; see fulfilment.h.
 */
#include "compat.h"

#include "core/append.h"
#include "core/error_facts.h"
#include "core/errors.h"
#include "core/ids.h"
#include "core/jsonb_build.h"
#include "core/row.h"
#include "core/spelling.h"
#include "machine/order/lines.h"
#include "machine/order/message.h"
#include "machine/shipment/fulfilment.h"

/* Columns of fulfilments_table, all of them and in their order: rows are also appended. */
enum
{
	FULFILMENTS_ORDER_ID,
	FULFILMENTS_CREATED_AT,
	FULFILMENTS_OUT_AT,
	FULFILMENTS_CANCEL_REQUESTED_AT,
	FULFILMENTS_CANCELED_AT,
	FULFILMENTS_VERSION,
	FULFILMENTS_STATUS,
	FULFILMENTS_PRIOR_STATUS,
	FULFILMENTS_CANCEL_TYPE,
	FULFILMENTS_REFUND_HOLD,
	FULFILMENTS_EXTERNAL,
	FULFILMENTS_INTERCEPT_REFUSED,
	FULFILMENTS_COLUMNS
};

static RowTable fulfilments_table = ROW_TABLE(
	"fulfilments", "fulfilments_pkey",
	"order_id", "created_at", "out_at", "cancel_requested_at", "canceled_at", "version", "status",
	"prior_status", "cancel_type", "refund_hold", "external", "intercept_refused");

/* The same of documents. */
enum
{
	DOCUMENTS_ORDER_ID,
	DOCUMENTS_ID,
	DOCUMENTS_CREATED_AT,
	DOCUMENTS_CLOSED_AT,
	DOCUMENTS_KIND,
	DOCUMENTS_STATUS,
	DOCUMENTS_COLUMNS
};

static RowTable documents = ROW_TABLE(
	"fulfilment_documents", "fulfilment_documents_pkey",
	"order_id", "document_id", "created_at", "closed_at", "kind", "status");

/* By the channel as it is compared. */
enum
{
	CHANNELS_EXTERNAL
};

static RowTable channels = ROW_TABLE("channels", "channels_code", "external");

static bool
read_fulfilment(int64 order_id, Fulfilment *fulfilment)
{
	Datum		key = Int64GetDatum(order_id);
	Row			row;

	if (!row_find(&fulfilments_table, &key, 1, &row))
		return false;
	fulfilment->order_id = row_get_int64(&row, FULFILMENTS_ORDER_ID);
	fulfilment->version = row_get_int32(&row, FULFILMENTS_VERSION);
	fulfilment->status = row_get_int16(&row, FULFILMENTS_STATUS);
	fulfilment->prior_status = row_get_int16_or(&row, FULFILMENTS_PRIOR_STATUS, 0);
	fulfilment->cancel_type = (CancelType) row_get_int16_or(&row, FULFILMENTS_CANCEL_TYPE, 0);
	fulfilment->refund_hold = row_get_bool(&row, FULFILMENTS_REFUND_HOLD);
	fulfilment->external = row_get_bool(&row, FULFILMENTS_EXTERNAL);
	fulfilment->intercept_refused = row_get_bool(&row, FULFILMENTS_INTERCEPT_REFUSED);
	return true;
}

void
fulfilment_read_or_fail(int64 order_id, Fulfilment *fulfilment)
{
	if (!read_fulfilment(order_id, fulfilment))
		ereport(ERROR,
				(errcode(ERRCODE_OE_INVARIANT),
				 errmsg("order " INT64_FORMAT " has no fulfillment", order_id),
				 error_facts("Orders have one from status fulfilling on.",
							 FACT_ID("order_id", order_id)),
				 errhint("This is a bug in order_ext; nothing was changed.")));
}

/* ---- starting the fulfillment of paid orders ---- */

static void
append_fulfilment(Appender *appender, int64 order_id, TimestampTz at, int16 status, bool external)
{
	Datum		values[FULFILMENTS_COLUMNS] = {0};
	bool		nulls[FULFILMENTS_COLUMNS] = {false};

	nulls[FULFILMENTS_OUT_AT] = nulls[FULFILMENTS_CANCEL_REQUESTED_AT] = true;
	nulls[FULFILMENTS_CANCELED_AT] = status != FULFILMENT_CANCELED;
	nulls[FULFILMENTS_PRIOR_STATUS] = nulls[FULFILMENTS_CANCEL_TYPE] = true;
	values[FULFILMENTS_ORDER_ID] = Int64GetDatum(order_id);
	values[FULFILMENTS_CREATED_AT] = TimestampTzGetDatum(at);
	values[FULFILMENTS_CANCELED_AT] = TimestampTzGetDatum(at);
	values[FULFILMENTS_VERSION] = Int32GetDatum(1);
	values[FULFILMENTS_STATUS] = Int16GetDatum(status);
	values[FULFILMENTS_REFUND_HOLD] = BoolGetDatum(false);
	values[FULFILMENTS_EXTERNAL] = BoolGetDatum(external);
	values[FULFILMENTS_INTERCEPT_REFUSED] = BoolGetDatum(false);
	append_row(appender, values, nulls);
}

/* Create the documents of a kind; fills in their ids. */
static void
make_documents(const int64 *ids, int n, int16 kind, TimestampTz at, int64 *document_ids)
{
	Appender   *appender = append_open("fulfilment_documents");
	Datum		values[DOCUMENTS_COLUMNS] = {0};
	bool		nulls[DOCUMENTS_COLUMNS] = {false};
	int			i;

	nulls[DOCUMENTS_CLOSED_AT] = true;
	values[DOCUMENTS_CREATED_AT] = TimestampTzGetDatum(at);
	values[DOCUMENTS_KIND] = Int16GetDatum(kind);
	values[DOCUMENTS_STATUS] = Int16GetDatum(DOCUMENT_OPEN);
	for (i = 0; i < n; i++)
	{
		document_ids[i] = id_next("document_id_seq");
		values[DOCUMENTS_ORDER_ID] = Int64GetDatum(ids[i]);
		values[DOCUMENTS_ID] = Int64GetDatum(document_ids[i]);
		append_row(appender, values, nulls);
	}
	append_close(appender);
}

/* Whether the channel belongs to a warehouse that is not ours. */
static bool
channel_is_external(const char *channel)
{
	Datum		key = CStringGetTextDatum(spelling_code(channel));
	Rows	   *rows = rows_open(&channels, ROWS_READ);
	bool		external = false;
	bool		found;
	Row			row;

	for (found = rows_find(rows, &key, 1, &row); found; found = rows_next(rows, &row))
		external |= row_get_bool(&row, CHANNELS_EXTERNAL);
	rows_close(rows);
	return external;
}

static bool
order_is_external(const Order *order)
{
	char	   *channel = jsonb_get_text(DatumGetJsonbP(order->options), "channel");

	return channel != NULL && channel_is_external(channel);
}

static Jsonb *
document_detail(const char *key, int64 document_id)
{
	JsonbBuilder *detail = jsonb_object_begin();

	jsonb_add_id(detail, key, document_id);
	return jsonb_object_end(detail);
}

static void
prepare(Journal *journal, Order *orders, const OrderGoods *goods, const int64 *ids, int n)
{
	const Edge *edge = machine_edge(MACHINE_FULFILMENT, STATUS_NONE, EVENT_PREPARE);
	OrderChange change = {.payloads = palloc(sizeof(Jsonb *) * n)};
	bool	   *external = palloc(sizeof(bool) * n);
	int64	   *documents = palloc(sizeof(int64) * n);
	Appender   *appender;
	int			i;

	for (i = 0; i < n; i++)
		external[i] = order_is_external(&orders[i]);
	appender = append_open("fulfilments");
	for (i = 0; i < n; i++)
		append_fulfilment(appender, ids[i], journal_time(journal), edge->to, external[i]);
	append_close(appender);
	make_documents(ids, n, DELIVERY_ORDER, journal_time(journal), documents);
	for (i = 0; i < n; i++)
	{
		change.payloads[i] = order_message_requested(&orders[i], &goods[i], documents[i],
													 external[i]);
		journal_transition(journal, MACHINE_FULFILMENT, edge, ids[i], ids[i], 1, ACTOR_SYSTEM,
						   document_detail("delivery_order", documents[i]));
	}
	orders_fire(journal, orders, n, EVENT_FULFIL, ACTOR_SYSTEM, &change, NULL);
}

void
fulfilments_begin(Journal *journal, const Order *orders, int n)
{
	int64	   *ids = palloc(sizeof(int64) * Max(n, 1));
	OrderGoods *goods;
	Order	   *parcels = palloc(sizeof(Order) * Max(n, 1));
	OrderGoods *parcel_goods = palloc(sizeof(OrderGoods) * Max(n, 1));
	Order	   *virtuals = palloc(sizeof(Order) * Max(n, 1));
	int			n_parcels = 0;
	int			n_virtuals = 0;
	int			i;

	for (i = 0; i < n; i++)
		ids[i] = orders[i].order_id;
	goods = order_lines_goods_to_ship(ids, n);
	for (i = 0; i < n; i++)
	{
		if (goods[i].all_virtual)
			virtuals[n_virtuals++] = orders[i];
		else
		{
			parcel_goods[n_parcels] = goods[i];
			parcels[n_parcels++] = orders[i];
		}
	}
	for (i = 0; i < n_parcels; i++)
		ids[i] = parcels[i].order_id;
	if (n_parcels > 0)
		prepare(journal, parcels, parcel_goods, ids, n_parcels);
	for (i = 0; i < n_virtuals; i++)
		ids[i] = virtuals[i].order_id;
	if (n_virtuals > 0)
		stock_consume(ids, n_virtuals, journal_time(journal));
	orders_fire(journal, virtuals, n_virtuals, EVENT_SIGN_VIRTUAL, ACTOR_SYSTEM, NULL, NULL);
}

void
fulfilment_tombstone(Journal *journal, int64 order_id, char actor)
{
	const Edge *edge = machine_edge(MACHINE_FULFILMENT, STATUS_NONE, EVENT_TOMBSTONE);
	Appender   *appender = append_open("fulfilments");

	append_fulfilment(appender, order_id, journal_time(journal), edge->to, false);
	append_close(appender);
	journal_transition(journal, MACHINE_FULFILMENT, edge, order_id, order_id, 1, actor, NULL);
}

/* ---- one step of a fulfilment ---- */

/* What the row becomes: the columns of a requested cancel, and the time of the step. */
static void
set_row(Row *row, const Fulfilment *fulfilment, const Edge *edge, TimestampTz at)
{
	row_set(row, FULFILMENTS_STATUS, Int16GetDatum(edge->to));
	row_set(row, FULFILMENTS_VERSION, Int32GetDatum(row_get_int32(row, FULFILMENTS_VERSION) + 1));
	if (edge->to == FULFILMENT_OUT)
		row_set(row, FULFILMENTS_OUT_AT, TimestampTzGetDatum(at));
	if (edge->to == FULFILMENT_CANCEL_REQUESTED)
		row_set(row, FULFILMENTS_CANCEL_REQUESTED_AT, TimestampTzGetDatum(at));
	if (edge->to == FULFILMENT_CANCELED)
		row_set(row, FULFILMENTS_CANCELED_AT, TimestampTzGetDatum(at));
	row_set_null(row, FULFILMENTS_PRIOR_STATUS);
	row_set_null(row, FULFILMENTS_CANCEL_TYPE);
	if (fulfilment->prior_status != 0)
	{
		row_set(row, FULFILMENTS_PRIOR_STATUS, Int16GetDatum(fulfilment->prior_status));
		row_set(row, FULFILMENTS_CANCEL_TYPE, Int16GetDatum(fulfilment->cancel_type));
	}
	row_set(row, FULFILMENTS_REFUND_HOLD, BoolGetDatum(fulfilment->refund_hold));
	row_set(row, FULFILMENTS_INTERCEPT_REFUSED, BoolGetDatum(fulfilment->intercept_refused));
}

static void
move_to(Journal *journal, Fulfilment *fulfilment, Event event, int16 to, char actor, Jsonb *detail)
{
	const Edge *edge = machine_edge_to(MACHINE_FULFILMENT, fulfilment->status, event, to);
	Rows	   *rows = rows_open(&fulfilments_table, ROWS_CHANGE);
	Datum		key = Int64GetDatum(fulfilment->order_id);
	Row			row;
	bool		moved = false;

	if (rows_find(rows, &key, 1, &row) && row_get_int16(&row, FULFILMENTS_STATUS) == edge->from)
	{
		set_row(&row, fulfilment, edge, journal_time(journal));
		moved = rows_update(rows, &row);
	}
	rows_close(rows);
	if (!moved)
		error_conflict("the fulfillment of order " INT64_FORMAT " was changed by another "
					   "transaction",
					   fulfilment->order_id);
	fulfilment->status = edge->to;
	fulfilment->version++;
	journal_transition(journal, MACHINE_FULFILMENT, edge, fulfilment->order_id,
					   fulfilment->order_id, fulfilment->version, actor, detail);
}

static void
move(Journal *journal, Fulfilment *fulfilment, Event event, char actor, Jsonb *detail)
{
	move_to(journal, fulfilment, event,
			machine_edge(MACHINE_FULFILMENT, fulfilment->status, event)->to, actor, detail);
}

static void
close_documents(Journal *journal, const Fulfilment *fulfilment, int16 status)
{
	Rows	   *rows = rows_open(&documents, ROWS_CHANGE);
	Datum		key = Int64GetDatum(fulfilment->order_id);
	bool		found;
	Row			row;

	for (found = rows_find(rows, &key, 1, &row); found; found = rows_next(rows, &row))
	{
		if (row_get_int16(&row, DOCUMENTS_STATUS) != DOCUMENT_OPEN)
			continue;
		row_set(&row, DOCUMENTS_STATUS, Int16GetDatum(status));
		row_set(&row, DOCUMENTS_CLOSED_AT, TimestampTzGetDatum(journal_time(journal)));
		if (!rows_update(rows, &row))
			error_conflict("a document of order " INT64_FORMAT " was changed by another "
						   "transaction",
						   fulfilment->order_id);
	}
	rows_close(rows);
}

void
fulfilment_pick(Journal *journal, Fulfilment *fulfilment)
{
	int64		document_id;

	move(journal, fulfilment, EVENT_PICK, ACTOR_WAREHOUSE, NULL);
	make_documents(&fulfilment->order_id, 1, LOGISTIC_ORDER, journal_time(journal), &document_id);
	move(journal, fulfilment, EVENT_LABEL, ACTOR_WAREHOUSE,
		 document_detail("logistic_order", document_id));
}

void
fulfilment_out(Journal *journal, Fulfilment *fulfilment)
{
	if (fulfilment->status == FULFILMENT_CREATED)
		fulfilment_pick(journal, fulfilment);
	move(journal, fulfilment, EVENT_OUT, ACTOR_WAREHOUSE, NULL);
	close_documents(journal, fulfilment, DOCUMENT_DONE);
}

void
fulfilment_abandon(Journal *journal, Fulfilment *fulfilment, char actor)
{
	move(journal, fulfilment, EVENT_ABANDON, actor, NULL);
	close_documents(journal, fulfilment, DOCUMENT_CANCELED);
}

void
fulfilment_request_cancel(Journal *journal, Fulfilment *fulfilment, char actor,
						  CancelType cancel_type, bool refund_hold)
{
	fulfilment->prior_status = fulfilment->status;
	fulfilment->cancel_type = cancel_type;
	fulfilment->refund_hold = refund_hold;
	move(journal, fulfilment, EVENT_REQUEST_CANCEL, actor, NULL);
}

void
fulfilment_accept_cancel(Journal *journal, Fulfilment *fulfilment)
{
	move(journal, fulfilment, EVENT_ACCEPT_CANCEL, ACTOR_WAREHOUSE, NULL);
	close_documents(journal, fulfilment, DOCUMENT_CANCELED);
}

void
fulfilment_reject_cancel(Journal *journal, Fulfilment *fulfilment)
{
	fulfilment->intercept_refused = true;
	move_to(journal, fulfilment, EVENT_REJECT_CANCEL, fulfilment->prior_status,
			ACTOR_WAREHOUSE, NULL);
}

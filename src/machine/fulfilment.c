/*
 * fulfilment.c
 *		The fulfilment machine; see fulfilment.h.
 */
#include "compat.h"

#include "catalog/pg_type.h"

#include "core/errors.h"
#include "core/jsonb_build.h"
#include "core/spelling.h"
#include "core/spi_util.h"
#include "machine/fulfilment.h"
#include "machine/stock.h"

static SavedPlan read_fulfilment = SAVED_PLAN(
	"SELECT order_id, version, status, coalesce(prior_status, 0::smallint),"
	"  coalesce(cancel_type, 0::smallint), refund_hold, external, intercept_refused"
	" FROM order_ext_internal.fulfilments WHERE order_id = $1",
	INT8OID);

/* What each order consists of, in id order. */
static SavedPlan read_goods = SAVED_PLAN(
	"SELECT i.order_id, bool_and(i.kind = " CODE(KIND_VIRTUAL) "),"
	"  pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('sku', i.sku, 'quantity', i.quantity)"
	"   ORDER BY i.sku)"
	" FROM order_ext_internal.order_items i WHERE i.order_id = ANY ($1)"
	" GROUP BY i.order_id ORDER BY i.order_id",
	INT8ARRAYOID);

static SavedPlan insert_fulfilments = SAVED_PLAN(
	"INSERT INTO order_ext_internal.fulfilments"
	" (order_id, created_at, version, status, external)"
	" SELECT o.order_id, $2, 1, $3, EXISTS (SELECT FROM order_ext_internal.channels c"
	"  WHERE " SPELLING_CODE_SQL("c.channel") " = " SPELLING_CODE_SQL("o.options->>'channel'")
	"   AND c.external)"
	" FROM order_ext_internal.orders o"
	" WHERE o.order_id = ANY ($1) ORDER BY o.order_id"
	" RETURNING order_id, external",
	INT8ARRAYOID, TIMESTAMPTZOID, INT2OID);

static SavedPlan insert_documents = SAVED_PLAN(
	"INSERT INTO order_ext_internal.fulfilment_documents"
	" (order_id, document_id, created_at, kind, status)"
	" SELECT i.order_id, pg_catalog.nextval('order_ext_internal.document_id_seq'), $2, $3,"
	"  " CODE(DOCUMENT_OPEN)
	" FROM unnest($1) AS i (order_id) ORDER BY i.order_id"
	" RETURNING order_id, document_id",
	INT8ARRAYOID, TIMESTAMPTZOID, INT2OID);

static SavedPlan insert_tombstone = SAVED_PLAN(
	"INSERT INTO order_ext_internal.fulfilments"
	" (order_id, created_at, canceled_at, version, status, external)"
	" VALUES ($1, $2, $2, 1, $3, false)",
	INT8OID, TIMESTAMPTZOID, INT2OID);

static SavedPlan move_fulfilment = SAVED_PLAN(
	"UPDATE order_ext_internal.fulfilments"
	" SET status = $3, version = version + 1,"
	"     out_at = CASE WHEN $3 = " CODE(FULFILMENT_OUT) " THEN $4 ELSE out_at END,"
	"     cancel_requested_at = CASE WHEN $3 = " CODE(FULFILMENT_CANCEL_REQUESTED) " THEN $4"
	"      ELSE cancel_requested_at END,"
	"     canceled_at = CASE WHEN $3 = " CODE(FULFILMENT_CANCELED) " THEN $4 ELSE canceled_at END,"
	"     prior_status = nullif($5, 0), cancel_type = CASE WHEN $5 <> 0 THEN $6 END,"
	"     refund_hold = $7, intercept_refused = $8"
	" WHERE order_id = $1 AND status = $2",
	INT8OID, INT2OID, INT2OID, TIMESTAMPTZOID, INT2OID, INT2OID, BOOLOID, BOOLOID);

static SavedPlan close_documents = SAVED_PLAN(
	"UPDATE order_ext_internal.fulfilment_documents SET status = $2, closed_at = $3"
	" WHERE order_id = $1 AND status = " CODE(DOCUMENT_OPEN),
	INT8OID, INT2OID, TIMESTAMPTZOID);

bool
fulfilment_read(int64 order_id, Fulfilment *fulfilment)
{
	Datum		values[1] = {Int64GetDatum(order_id)};

	if (plan_query(&read_fulfilment, values, NULL, 1) == 0)
		return false;
	fulfilment->order_id = row_int64(0, 1);
	fulfilment->version = row_int32(0, 2);
	fulfilment->status = row_int16(0, 3);
	fulfilment->prior_status = row_int16(0, 4);
	fulfilment->cancel_type = (CancelType) row_int16(0, 5);
	fulfilment->refund_hold = row_bool(0, 6);
	fulfilment->external = row_bool(0, 7);
	fulfilment->intercept_refused = row_bool(0, 8);
	return true;
}

void
fulfilment_read_or_fail(int64 order_id, Fulfilment *fulfilment)
{
	if (!fulfilment_read(order_id, fulfilment))
		ereport(ERROR,
				(errcode(ERRCODE_OE_INVARIANT),
				 errmsg("order " INT64_FORMAT " has no fulfillment", order_id)));
}

/* ---- starting the fulfillment of paid orders ---- */

/* The data of an order needed to create its fulfillment. */
typedef struct Goods
{
	bool		all_virtual;
	Jsonb	   *items;
} Goods;

static void
check_row_of(int64 order_id, uint64 row)
{
	if (row >= SPI_processed || row_int64(row, 1) != order_id)
		ereport(ERROR,
				(errcode(ERRCODE_OE_INVARIANT),
				 errmsg("order " INT64_FORMAT " has no items or no row", order_id)));
}

static Goods *
read_goods_of(const int64 *ids, int n)
{
	Datum		values[1] = {int64_array(ids, n)};
	Goods	   *goods = palloc(sizeof(Goods) * n);
	int			i;

	(void) plan_query(&read_goods, values, NULL, 0);
	for (i = 0; i < n; i++)
	{
		check_row_of(ids[i], i);
		goods[i].all_virtual = row_bool(i, 2);
		goods[i].items = row_jsonb(i, 3);
	}
	return goods;
}

/* Create the documents of a kind; fills in their ids. */
static void
make_documents(const int64 *ids, int n, int16 kind, TimestampTz at, int64 *document_ids)
{
	Datum		values[3];
	int			i;

	values[0] = int64_array(ids, n);
	values[1] = TimestampTzGetDatum(at);
	values[2] = Int16GetDatum(kind);
	(void) plan_write(&insert_documents, values, NULL, 0);
	for (i = 0; i < n; i++)
	{
		check_row_of(ids[i], i);
		document_ids[i] = row_int64(i, 2);
	}
}

/* The warehouse is told what to ship; it reads the address when it labels the parcel. */
static Jsonb *
request_payload(const Order *order, const Goods *goods, int64 document_id, bool external)
{
	JsonbBuilder *payload = journal_payload(order->order_id, order->user_id, order->version + 1);

	jsonb_add_id(payload, "document_id", document_id);
	jsonb_add_bool(payload, "external", external);
	jsonb_add_jsonb(payload, "items", goods->items);
	return jsonb_object_end(payload);
}

static Jsonb *
document_detail(const char *key, int64 document_id)
{
	JsonbBuilder *detail = jsonb_object_begin();

	jsonb_add_id(detail, key, document_id);
	return jsonb_object_end(detail);
}

static void
prepare(Journal *journal, Order *orders, const Goods *goods, const int64 *ids, int n)
{
	const Edge *edge = machine_edge(MACHINE_FULFILMENT, STATUS_NONE, EVENT_PREPARE);
	OrderChange change = {.payloads = palloc(sizeof(Jsonb *) * n)};
	bool	   *external = palloc(sizeof(bool) * n);
	int64	   *documents = palloc(sizeof(int64) * n);
	Datum		values[3];
	int			i;

	values[0] = int64_array(ids, n);
	values[1] = TimestampTzGetDatum(journal_time(journal));
	values[2] = Int16GetDatum(edge->to);
	(void) plan_write(&insert_fulfilments, values, NULL, 0);
	for (i = 0; i < n; i++)
	{
		check_row_of(ids[i], i);
		external[i] = row_bool(i, 2);
	}
	make_documents(ids, n, DELIVERY_ORDER, journal_time(journal), documents);
	for (i = 0; i < n; i++)
	{
		change.payloads[i] = request_payload(&orders[i], &goods[i], documents[i], external[i]);
		journal_transition(journal, MACHINE_FULFILMENT, edge, ids[i], ids[i], 1, ACTOR_SYSTEM,
						   document_detail("delivery_order", documents[i]));
	}
	orders_fire(journal, orders, n, EVENT_FULFIL, ACTOR_SYSTEM, &change, NULL);
}

void
fulfilments_begin(Journal *journal, const Order *orders, int n)
{
	int64	   *ids = palloc(sizeof(int64) * Max(n, 1));
	Goods	   *goods;
	Order	   *parcels = palloc(sizeof(Order) * Max(n, 1));
	Goods	   *parcel_goods = palloc(sizeof(Goods) * Max(n, 1));
	Order	   *virtuals = palloc(sizeof(Order) * Max(n, 1));
	int			n_parcels = 0;
	int			n_virtuals = 0;
	int			i;

	for (i = 0; i < n; i++)
		ids[i] = orders[i].order_id;
	goods = n > 0 ? read_goods_of(ids, n) : NULL;
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
	Datum		values[3];

	values[0] = Int64GetDatum(order_id);
	values[1] = TimestampTzGetDatum(journal_time(journal));
	values[2] = Int16GetDatum(edge->to);
	(void) plan_write(&insert_tombstone, values, NULL, 0);
	journal_transition(journal, MACHINE_FULFILMENT, edge, order_id, order_id, 1, actor, NULL);
}

/* ---- one step of a fulfilment ---- */

static void
move_to(Journal *journal, Fulfilment *fulfilment, Event event, int16 to, char actor, Jsonb *detail)
{
	const Edge *edge = machine_edge_to(MACHINE_FULFILMENT, fulfilment->status, event, to);
	Datum		values[8];

	values[0] = Int64GetDatum(fulfilment->order_id);
	values[1] = Int16GetDatum(edge->from);
	values[2] = Int16GetDatum(edge->to);
	values[3] = TimestampTzGetDatum(journal_time(journal));
	values[4] = Int16GetDatum(fulfilment->prior_status);
	values[5] = Int16GetDatum(fulfilment->cancel_type);
	values[6] = BoolGetDatum(fulfilment->refund_hold);
	values[7] = BoolGetDatum(fulfilment->intercept_refused);
	if (plan_write(&move_fulfilment, values, NULL, 0) != 1)
		error_conflict("the fulfilment of order " INT64_FORMAT " was changed by another "
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
close_documents_of(Journal *journal, const Fulfilment *fulfilment, int16 status)
{
	Datum		values[3];

	values[0] = Int64GetDatum(fulfilment->order_id);
	values[1] = Int16GetDatum(status);
	values[2] = TimestampTzGetDatum(journal_time(journal));
	(void) plan_write(&close_documents, values, NULL, 0);
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
	close_documents_of(journal, fulfilment, DOCUMENT_DONE);
}

void
fulfilment_abandon(Journal *journal, Fulfilment *fulfilment, char actor)
{
	move(journal, fulfilment, EVENT_ABANDON, actor, NULL);
	close_documents_of(journal, fulfilment, DOCUMENT_CANCELED);
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
	close_documents_of(journal, fulfilment, DOCUMENT_CANCELED);
}

void
fulfilment_reject_cancel(Journal *journal, Fulfilment *fulfilment)
{
	fulfilment->intercept_refused = true;
	move_to(journal, fulfilment, EVENT_REJECT_CANCEL, fulfilment->prior_status,
			ACTOR_WAREHOUSE, NULL);
}

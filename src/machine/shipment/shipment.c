/*
 * shipment.c
 *		Facts of warehouse and carrier; see shipment.h.
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"

#include "core/alert.h"
#include "core/errors.h"
#include "core/ids.h"
#include "core/jsonb_build.h"
#include "core/row.h"
#include "core/settings.h"
#include "core/spi_util.h"
#include "machine/after_sale/flow.h"
#include "machine/base/held_fact.h"
#include "machine/shipment/intercept.h"
#include "machine/shipment/shipment.h"
#include "machine/stock/stock.h"

/* Columns of recorded_facts, and of parked_facts, of which there are few. */
enum
{
	FACTS_ORDER_ID,
	FACTS_OCCURRED_AT,
	FACTS_RECORDED_AT,
	FACTS_SETTLED_AT,
	FACTS_SOURCE,
	FACTS_SEQ,
	FACTS_KIND,
	FACTS_STATE,
	FACTS_EVENT_ID,
	FACTS_REASON,
	FACTS_PAYLOAD,
	FACTS_DETAIL
};

#define FACTS_COLUMNS \
	"order_id", "occurred_at", "recorded_at", "settled_at", "source", "seq", "kind", "state", \
	"event_id", "reason", "payload", "detail"

static RowTable recorded_facts = ROW_TABLE(
	"shipment_events", "shipment_events_pkey",
	FACTS_COLUMNS);
static RowTable parked_facts = ROW_TABLE(
	"shipment_events", "shipment_events_parked",
	FACTS_COLUMNS);

#define ANY_KIND 0

static SavedPlan settle_fact = SAVED_PLAN(
	"UPDATE order_ext_internal.shipment_events SET state = $5, settled_at = $6, reason = $7"
	" WHERE order_id = $1 AND source = $2 AND event_id = $3 AND seq = $4"
	"  AND state = " CODE(SHIPMENT_PARKED),
	INT8OID, INT2OID, TEXTOID, INT2OID, INT2OID, TIMESTAMPTZOID, TEXTOID);

/* ---- recorded facts ---- */

void
shipment_find(const ShipmentFact *fact, ShipmentRecord *record)
{
	Rows	   *rows = rows_open(&recorded_facts, ROWS_READ);
	Datum		keys[3];
	bool		found;
	Row			row;

	keys[0] = Int64GetDatum(fact->order_id);
	keys[1] = Int16GetDatum(fact->source);
	keys[2] = CStringGetTextDatum(fact->event_id);
	memset(record, 0, sizeof(ShipmentRecord));
	/* the index has them in the order of seq */
	for (found = rows_find(rows, keys, lengthof(keys), &row); found; found = rows_next(rows, &row))
	{
		record->n++;
		if (record->same)
			continue;
		record->same = row_get_int16(&row, FACTS_KIND) == fact->kind;
		record->first = record->n == 1;
		record->detail = row_get_jsonb(&row, FACTS_DETAIL);
	}
	rows_close(rows);
}

/* What the fact says, as far as it is kept. */
static Jsonb *
told(const ShipmentFact *fact)
{
	JsonbBuilder *said = jsonb_object_begin();

	jsonb_add_text(said, "event_id", fact->event_id);
	jsonb_add_text(said, "kind", code_name(CODES_SHIPMENT_KIND, fact->kind));
	jsonb_add_timestamptz(said, "occurred_at", fact->occurred_at);
	if (fact->payload != NULL)
		jsonb_add_jsonb(said, "payload", fact->payload);
	return jsonb_object_end(said);
}

static void
hold(Journal *journal, const ShipmentFact *fact, const Order *order, const char *reason)
{
	HeldFact	held_as = {
		.kind = fact->source == SOURCE_SHIPMENT ? FACT_SHIPMENT_EVENT : FACT_CANCEL_RESULT,
		.order_id = fact->order_id, .reason = reason, .told = told(fact)
	};
	JsonbBuilder *payload = journal_payload(fact->order_id, order ? order->user_id : 0,
											order ? order->version : 0);

	jsonb_add_text(payload, "event_id", fact->event_id);
	jsonb_add_text(payload, "event", code_name(CODES_SHIPMENT_KIND, fact->kind));
	held_fact_record(journal, &held_as, ALERT_SHIPMENT_HELD, fact->order_id, payload);
}

/* In REPEATABLE READ, another transaction may have taken the event_id: 40001. */
static void
insert_fact(const ShipmentFact *fact, const Row *row)
{
	Rows	   *rows = rows_open(&recorded_facts, ROWS_CHANGE);
	Datum		keys[4];

	keys[0] = row->values[FACTS_ORDER_ID];
	keys[1] = row->values[FACTS_SOURCE];
	keys[2] = row->values[FACTS_EVENT_ID];
	keys[3] = row->values[FACTS_SEQ];
	if (rows_is_taken(rows, keys, lengthof(keys)))
		error_conflict("event \"%s\" was recorded by another transaction", fact->event_id);
	rows_insert(rows, row->values, row->nulls);
	rows_close(rows);
}

void
shipment_record(Journal *journal, const ShipmentFact *fact, const Order *order,
				ShipmentVerdict verdict, Jsonb *detail)
{
	Row			row;

	memset(row.nulls, true, sizeof(row.nulls));
	row_set(&row, FACTS_ORDER_ID, Int64GetDatum(fact->order_id));
	row_set(&row, FACTS_OCCURRED_AT, TimestampTzGetDatum(fact->occurred_at));
	row_set(&row, FACTS_RECORDED_AT, TimestampTzGetDatum(journal_time(journal)));
	if (verdict.state != SHIPMENT_PARKED)
		row_set(&row, FACTS_SETTLED_AT, TimestampTzGetDatum(journal_time(journal)));
	row_set(&row, FACTS_SOURCE, Int16GetDatum(fact->source));
	row_set(&row, FACTS_SEQ, Int16GetDatum(fact->seq));
	row_set(&row, FACTS_KIND, Int16GetDatum(fact->kind));
	row_set(&row, FACTS_STATE, Int16GetDatum(verdict.state));
	row_set(&row, FACTS_EVENT_ID, CStringGetTextDatum(fact->event_id));
	if (verdict.reason != NULL)
		row_set(&row, FACTS_REASON, CStringGetTextDatum(verdict.reason));
	if (fact->payload != NULL)
		row_set(&row, FACTS_PAYLOAD, JsonbPGetDatum(fact->payload));
	row_set(&row, FACTS_DETAIL, JsonbPGetDatum(detail));
	insert_fact(fact, &row);
	if (verdict.state == SHIPMENT_HELD)
		hold(journal, fact, order, verdict.reason);
	else if (verdict.state == SHIPMENT_PARKED)
		order_touch(fact->order_id);
}

/* ---- applying ---- */

static Jsonb *
move_detail(const ShipmentFact *fact)
{
	JsonbBuilder *detail = jsonb_object_begin();

	jsonb_add_text(detail, "event_id", fact->event_id);
	jsonb_add_timestamptz(detail, "occurred_at", fact->occurred_at);
	if (fact->kind == SHIPMENT_LOST || fact->kind == SHIPMENT_RETURNED)
		jsonb_add_text(detail, "kind", code_name(CODES_SHIPMENT_KIND, fact->kind));
	return jsonb_object_end(detail);
}

/* The parcel leaves, regardless of any request: a parcel that has left cannot be canceled. */
static void
ship_out(Journal *journal, const ShipmentFact *fact, Order *order, Fulfilment *fulfilment)
{
	if (fulfilment->status == FULFILMENT_CANCEL_REQUESTED)
		intercept_refused(journal, order, fulfilment, fact->event_id);
	fulfilment_out(journal, fulfilment);
	stock_consume(&order->order_id, 1, journal_time(journal));
	orders_fire(journal, order, 1, EVENT_SHIP_OUT, ACTOR_WAREHOUSE, NULL, move_detail(fact));
}

/* A parcel that is not signed for counts as signed after some time. */
static void
arm_auto_sign(const Journal *journal, const Order *order)
{
	(void) timer_arm(TOPIC_ORDER_AUTO_SIGN, order->order_id,
					 journal_time(journal) + setting_auto_sign * USECS_PER_SEC, ORDER_DELIVERING,
					 jsonb_object_end(journal_payload(order->order_id, order->user_id,
													  order->version)));
}

void
shipment_apply(Journal *journal, const ShipmentFact *fact, Order *order)
{
	Fulfilment	fulfilment;
	Event		event;

	switch (fact->kind)
	{
		case SHIPMENT_PICKED:
			fulfilment_read_or_fail(order->order_id, &fulfilment);
			fulfilment_pick(journal, &fulfilment);
			return;
		case SHIPMENT_OUT_STOCK:
			fulfilment_read_or_fail(order->order_id, &fulfilment);
			ship_out(journal, fact, order, &fulfilment);
			return;
		case SHIPMENT_DELIVERING:
			event = EVENT_DELIVER;
			break;
		case SHIPMENT_SIGNED:
			event = EVENT_SIGN;
			break;
		case SHIPMENT_REFUSED:
		case SHIPMENT_LOST:
		case SHIPMENT_RETURNED:
			event = EVENT_REFUSE;
			break;
		default:
			elog(ERROR, "fact of kind %d does not move an order", fact->kind);
	}
	orders_fire(journal, order, 1, event, ACTOR_WAREHOUSE, NULL, move_detail(fact));
	if (event == EVENT_DELIVER)
		arm_auto_sign(journal, order);
	else if (fact->kind == SHIPMENT_LOST)
		after_sale_lost(journal, order);
	else if (event == EVENT_REFUSE)
		after_sale_refused(journal, order);
}

/* ---- parked facts ---- */

static int
compare_facts(const void *a, const void *b)
{
	const ShipmentFact *left = a;
	const ShipmentFact *right = b;
	int			by_event;

	if (left->kind != right->kind)
		return (int) left->kind - (int) right->kind;
	if (left->occurred_at != right->occurred_at)
		return left->occurred_at < right->occurred_at ? -1 : 1;
	by_event = strcmp(left->event_id, right->event_id);
	return by_event != 0 ? by_event : (int) left->seq - (int) right->seq;
}

/* The parked facts of an order, in the order in which they may be applied. */
static ShipmentFact *
read_parked_of(int64 order_id, int *n)
{
	Rows	   *rows = rows_open(&parked_facts, ROWS_READ);
	Datum		key = Int64GetDatum(order_id);
	int			max = 4;
	ShipmentFact *parked = palloc0(sizeof(ShipmentFact) * max);
	bool		found;
	Row			row;

	*n = 0;
	for (found = rows_find(rows, &key, 1, &row); found; found = rows_next(rows, &row))
	{
		ShipmentFact *fact;

		if (row_get_int16(&row, FACTS_STATE) != SHIPMENT_PARKED)
			continue;
		if (*n == max)
			parked = repalloc(parked, sizeof(ShipmentFact) * (max *= 2));
		fact = memset(&parked[(*n)++], 0, sizeof(ShipmentFact));
		fact->order_id = order_id;
		fact->event_id = row_get_text(&row, FACTS_EVENT_ID);
		fact->source = SOURCE_SHIPMENT;
		fact->seq = row_get_int16(&row, FACTS_SEQ);
		fact->kind = (ShipmentKind) row_get_int16(&row, FACTS_KIND);
		fact->occurred_at = row_get_timestamptz(&row, FACTS_OCCURRED_AT);
		fact->payload = row_get_jsonb(&row, FACTS_PAYLOAD);
	}
	rows_close(rows);
	qsort(parked, *n, sizeof(ShipmentFact), compare_facts);
	return parked;
}

static void
settle(Journal *journal, const ShipmentFact *fact, Order *order, ShipmentVerdict verdict)
{
	Datum		values[7];
	char		nulls[7] = {' ', ' ', ' ', ' ', ' ', ' ', ' '};

	values[0] = Int64GetDatum(fact->order_id);
	values[1] = Int16GetDatum(fact->source);
	values[2] = CStringGetTextDatum(fact->event_id);
	values[3] = Int16GetDatum(fact->seq);
	values[4] = Int16GetDatum(verdict.state);
	values[5] = TimestampTzGetDatum(journal_time(journal));
	values[6] = verdict.reason ? CStringGetTextDatum(verdict.reason) : (Datum) 0;
	nulls[6] = verdict.reason ? ' ' : 'n';
	if (plan_write(&settle_fact, values, nulls, 0) != 1)
		error_conflict("event \"%s\" was settled by another transaction", fact->event_id);
	if (verdict.state == SHIPMENT_HELD)
		hold(journal, fact, order, verdict.reason);
	else if (verdict.state == SHIPMENT_APPLIED)
		shipment_apply(journal, fact, order);
}

void
shipments_settle(Journal *journal, Order *order)
{
	bool		moved = true;

	/* After each transition, another parked fact may apply, or be obsolete. */
	while (moved)
	{
		Fulfilment	fulfilment = {0};
		int			n;
		ShipmentFact *facts = read_parked_of(order->order_id, &n);
		int			i;

		moved = false;
		if (n > 0 && order->status == ORDER_FULFILLING)
			fulfilment_read_or_fail(order->order_id, &fulfilment);
		for (i = 0; i < n && !moved; i++)
		{
			ShipmentVerdict now = shipment_judge(facts[i].kind, order, &fulfilment);

			if (now.state != SHIPMENT_PARKED)
				settle(journal, &facts[i], order, now);
			moved = now.state == SHIPMENT_APPLIED;
		}
	}
}

/* Those of the orders that have parked facts of this kind or a higher one, ascending. */
static int64 *
orders_with_parked(const int64 *order_ids, int n, int16 lowest_kind, int *n_found)
{
	int64	   *found = palloc(sizeof(int64) * Max(n, 1));
	Rows	   *rows = rows_open(&parked_facts, ROWS_READ);
	int			i;

	*n_found = 0;
	for (i = 0; i < n; i++)
	{
		Datum		key = Int64GetDatum(order_ids[i]);
		bool		has_row;
		Row			row;

		for (has_row = rows_find(rows, &key, 1, &row); has_row; has_row = rows_next(rows, &row))
		{
			if (row_get_int16(&row, FACTS_STATE) != SHIPMENT_PARKED ||
				row_get_int16(&row, FACTS_KIND) < lowest_kind)
				continue;
			found[(*n_found)++] = order_ids[i];
			break;
		}
	}
	rows_close(rows);
	qsort(found, *n_found, sizeof(int64), id_compare);
	return found;
}

int64 *
shipments_refused_early(const int64 *order_ids, int n, int *n_found)
{
	return orders_with_parked(order_ids, n, SHIPMENT_REFUSED, n_found);
}

void
shipments_settle_among(Journal *journal, const int64 *order_ids, int n)
{
	int			n_found;
	int64	   *found = orders_with_parked(order_ids, n, ANY_KIND, &n_found);
	int			i;

	for (i = 0; i < n_found; i++)
	{
		Order		order;

		order_read_or_fail(found[i], &order);
		shipments_settle(journal, &order);
	}
}

void
shipments_hold_parked(Journal *journal, const Order *orders, int n)
{
	int64	   *ids = palloc(sizeof(int64) * Max(n, 1));
	int			i;

	for (i = 0; i < n; i++)
		ids[i] = orders[i].order_id;
	shipments_settle_among(journal, ids, n);
}

int
shipments_start(const int64 *ids, int n)
{
	int			n_orders;
	Order	   *orders = orders_read_in_status(ids, n, ORDER_PAID, &n_orders);
	Journal    *journal;

	if (n_orders == 0)
		return 0;
	journal = journal_begin(GetCurrentTimestamp());
	fulfilments_begin(journal, orders, n_orders);
	shipments_settle_among(journal, ids, n);
	journal_write(journal);
	return n_orders;
}

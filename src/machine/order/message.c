/*
 * message.c
 *		What messages about orders say; see message.h.
 */
#include "compat.h"

#include "core/jsonb_build.h"
#include "core/settings.h"
#include "machine/order/message.h"

/* The most that fields of limited size take: names, ids, amounts, and texts of their lengths. */
#define FIXED_BYTES 8192

/* ---- what may be too large ---- */

int64
order_message_room(void)
{
	return setting_max_payload - Min(FIXED_BYTES, setting_max_payload / 2);
}

/* The first n elements of an array. */
static Jsonb *
first_elements(Jsonb *array, int n)
{
	JsonbParseState *state = NULL;
	int			i;

	(void) pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	for (i = 0; i < n; i++)
		(void) pushJsonbValue(&state, WJB_ELEM, getIthJsonbValueFromContainer(&array->root, i));
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY, NULL));
}

/* What element i of an array takes in it, at most. */
static int64
element_bytes(Jsonb *array, int i)
{
	JsonbValue *element = getIthJsonbValueFromContainer(&array->root, i);

	return element->val.binary.len + 2 * sizeof(JEntry);
}

/*
 * How many elements of the array there is room for, along with those of another array of the same
 * length (or NULL); room is reduced by them.
 */
static int
elements_that_fit(Jsonb *array, Jsonb *other, int64 *room)
{
	int			n = JB_ROOT_COUNT(array);
	int64		all = VARSIZE(array) + (other != NULL ? VARSIZE(other) : 0);
	int			i;

	if (all <= *room)
	{
		*room -= all;
		return n;
	}
	for (i = 0; i < n; i++)
	{
		int64		bytes = element_bytes(array, i);

		if (other != NULL)
			bytes += element_bytes(other, i);
		if (bytes > *room)
			break;
		*room -= bytes;
	}
	return i;
}

static void
add_elements(JsonbBuilder *payload, const char *key, Jsonb *array, int n)
{
	if (n < (int) JB_ROOT_COUNT(array))
		array = first_elements(array, n);
	jsonb_add_jsonb(payload, key, array);
}

/* The lines of an order; those to be shipped also as the items that they were before 0.7. */
static void
add_goods(JsonbBuilder *payload, Jsonb *lines, Jsonb *items, int64 *room)
{
	int			n = JB_ROOT_COUNT(lines);
	int			kept = elements_that_fit(lines, items, room);

	add_elements(payload, "lines", lines, kept);
	if (items != NULL)
		add_elements(payload, "items", items, kept);
	if (kept < n)
		jsonb_add_int(payload, "lines_omitted", n - kept);
}

void
order_message_add_lines(JsonbBuilder *payload, Jsonb *lines, int64 *room)
{
	add_goods(payload, lines, NULL, room);
}

/* Add a value, unless it is NULL; if there is no room for it, that it was left out. */
static void
add_if_it_fits(JsonbBuilder *payload, const char *key, Jsonb *value, int64 *room)
{
	if (value == NULL)
		return;
	if (VARSIZE(value) > *room)
	{
		jsonb_add_bool(payload, psprintf("%s_omitted", key), true);
		return;
	}
	*room -= VARSIZE(value);
	jsonb_add_jsonb(payload, key, value);
}

/* ---- parts of payloads ---- */

/* To which more can be added; it tells of a version of the order. */
static JsonbBuilder *
begin_payload(const Order *order, int32 version)
{
	JsonbBuilder *payload = journal_payload(order->order_id, order->user_id, version);

	if (order->external_id != NULL)
		jsonb_add_text(payload, "external_id", order->external_id);
	return payload;
}

static void
add_amounts(JsonbBuilder *payload, const Order *order)
{
	jsonb_add_int(payload, "origin", order->origin_amount);
	jsonb_add_int(payload, "discount", order->discount_amount);
	jsonb_add_int(payload, "freight", order->freight_amount);
	jsonb_add_int(payload, "pay_amount", order->pay_amount);
	jsonb_add_text(payload, "currency", order->currency);
	if (order->coupon_id != 0)
		jsonb_add_id(payload, "coupon_id", order->coupon_id);
}

/* An option of the order; NULL if it has none, or it is null. */
static Jsonb *
option(Jsonb *options, const char *key)
{
	JsonbValue	buffer;
	JsonbValue *value = getKeyJsonValueFromContainer(&options->root, key, strlen(key), &buffer);

	return value == NULL || value->type == jbvNull ? NULL : JsonbValueToJsonb(value);
}

/* ---- payloads ---- */

Jsonb *
order_message_paid(const Order *order, int32 version, const OrderPaidBy *paid_by)
{
	JsonbBuilder *payload = begin_payload(order, version);
	OrderGoods *goods = order_lines_goods(&order->order_id, 1);
	int64		room = order_message_room();

	add_amounts(payload, order);
	jsonb_add_id(payload, "payment_id", paid_by->payment_id);
	jsonb_add_text(payload, "pay_type", paid_by->pay_type);
	jsonb_add_text(payload, "out_trade_no", paid_by->out_trade_no);
	order_message_add_lines(payload, goods->lines, &room);
	return jsonb_object_end(payload);
}

/* The address goes before what would take its room. */
Jsonb *
order_message_requested(const Order *order, const OrderGoods *goods, int64 document_id,
						bool external)
{
	JsonbBuilder *payload = begin_payload(order, order->version + 1);
	Jsonb	   *options = DatumGetJsonbP(order->options);
	int64		room = order_message_room();

	jsonb_add_id(payload, "document_id", document_id);
	jsonb_add_bool(payload, "external", external);
	add_amounts(payload, order);
	add_if_it_fits(payload, "address", option(options, "address"), &room);
	add_if_it_fits(payload, "channel", option(options, "channel"), &room);
	add_if_it_fits(payload, "region", option(options, "region"), &room);
	add_if_it_fits(payload, "remark", option(options, "remark"), &room);
	add_goods(payload, goods->lines, goods->items, &room);
	return jsonb_object_end(payload);
}

Jsonb *
order_message_address(const Order *order, Jsonb *address)
{
	JsonbBuilder *payload = begin_payload(order, order->version + 1);
	int64		room = order_message_room();

	jsonb_add_text(payload, "status", machine_status_name(MACHINE_ORDER, order->status));
	add_if_it_fits(payload, "address", address, &room);
	return jsonb_object_end(payload);
}

static Jsonb *
canceled(const Order *order, int32 version, const OrderGoods *goods, const OrderChange *change)
{
	JsonbBuilder *payload = begin_payload(order, version);
	int64		room = order_message_room();

	add_amounts(payload, order);
	jsonb_add_text(payload, "cancel_type", code_name(CODES_CANCEL_TYPE, change->cancel_type));
	jsonb_add_bool(payload, "paid", order->paid);
	if (change->reason != NULL)
		jsonb_add_text(payload, "reason", change->reason);
	order_message_add_lines(payload, goods->lines, &room);
	return jsonb_object_end(payload);
}

static Jsonb **
all_canceled(const Order *orders, int n, int32 ahead, const OrderChange *change)
{
	Jsonb	  **payloads = palloc(sizeof(Jsonb *) * Max(n, 1));
	int64	   *ids = palloc(sizeof(int64) * Max(n, 1));
	OrderGoods *goods;
	int			i;

	for (i = 0; i < n; i++)
		ids[i] = orders[i].order_id;
	goods = order_lines_goods(ids, n);
	for (i = 0; i < n; i++)
		payloads[i] = canceled(&orders[i], orders[i].version + ahead, &goods[i], change);
	return payloads;
}

Jsonb **
order_messages_canceled(const Order *orders, int n, const OrderChange *change)
{
	return all_canceled(orders, n, 1, change);
}

Jsonb **
order_messages_expired(const Order *orders, int n)
{
	static const OrderChange change = {.cancels = true, .cancel_type = CANCEL_BY_TIMEOUT};

	return all_canceled(orders, n, 0, &change);
}

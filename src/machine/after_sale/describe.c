/*
 * describe.c
 *		What messages about an after-sale say of it; see describe.h.
 */
#include "compat.h"

#include "core/row.h"
#include "machine/after_sale/describe.h"
#include "machine/base/codes.h"
#include "machine/base/machine.h"
#include "machine/order/message.h"

enum
{
	AFTER_SALES_FREIGHT,
	AFTER_SALES_EXTRA,
	AFTER_SALES_TYPE,
	AFTER_SALES_SOURCE,
	AFTER_SALES_RETURN_STATUS,
	AFTER_SALES_REASON,
	AFTER_SALES_REVIEW_REASON
};

static RowTable after_sales = ROW_TABLE(
	"after_sales", "after_sales_pkey",
	"freight", "extra", "type", "source", "return_status", "reason", "review_reason");

enum
{
	ITEMS_PRODUCT_ID,
	ITEMS_AMOUNT,
	ITEMS_QUANTITY,
	ITEMS_LINE
};

static RowTable items = ROW_TABLE(
	"after_sale_items", "after_sale_items_pkey",
	"product_id", "amount", "quantity", "line");

enum
{
	ORDERS_CURRENCY,
	ORDERS_EXTERNAL_ID
};

static RowTable orders = ROW_TABLE(
	"orders", "orders_pkey",
	"currency", "external_id");

static void
describe_order(JsonbBuilder *payload, int64 order_id)
{
	Datum		key = Int64GetDatum(order_id);
	Row			row;

	if (!row_find(&orders, &key, 1, &row))
		return;
	if (!row.nulls[ORDERS_EXTERNAL_ID])
		jsonb_add_text(payload, "external_id", row_get_text(&row, ORDERS_EXTERNAL_ID));
	jsonb_add_text(payload, "currency", row_get_text(&row, ORDERS_CURRENCY));
}

static void
describe_case(JsonbBuilder *payload, int64 after_sale_id)
{
	Datum		key = Int64GetDatum(after_sale_id);
	Row			row;

	if (!row_find(&after_sales, &key, 1, &row))
		return;
	jsonb_add_int(payload, "freight", row_get_int64(&row, AFTER_SALES_FREIGHT));
	jsonb_add_int(payload, "extra", row_get_int64_or(&row, AFTER_SALES_EXTRA, 0));
	jsonb_add_text(payload, "type",
				   code_name(CODES_AFTER_SALE_TYPE, row_get_int16(&row, AFTER_SALES_TYPE)));
	jsonb_add_text(payload, "source",
				   code_name(CODES_AFTER_SALE_SOURCE, row_get_int16(&row, AFTER_SALES_SOURCE)));
	if (!row.nulls[AFTER_SALES_RETURN_STATUS])
		jsonb_add_text(payload, "return_status",
					   machine_status_name(MACHINE_RETURN,
										   row_get_int16(&row, AFTER_SALES_RETURN_STATUS)));
	if (!row.nulls[AFTER_SALES_REASON])
		jsonb_add_text(payload, "reason", row_get_text(&row, AFTER_SALES_REASON));
	if (!row.nulls[AFTER_SALES_REVIEW_REASON])
		jsonb_add_text(payload, "review_reason", row_get_text(&row, AFTER_SALES_REVIEW_REASON));
}

/* The lines, by their numbers. */
static Jsonb *
read_lines(int64 after_sale_id)
{
	JsonbBuilder *lines = jsonb_array_begin();
	Rows	   *rows = rows_open(&items, ROWS_READ);
	Datum		key = Int64GetDatum(after_sale_id);
	ProductNames names;
	bool		found;
	Row			row;

	order_lines_names_open(&names);
	for (found = rows_find(rows, &key, 1, &row); found; found = rows_next(rows, &row))
	{
		JsonbBuilder *line = jsonb_object_begin();

		/* SQL objects from before 0.6 have no numbers */
		if (!row.nulls[ITEMS_LINE])
			jsonb_add_int(line, "line", row_get_int32(&row, ITEMS_LINE));
		order_lines_names_find(&names, row_get_int64(&row, ITEMS_PRODUCT_ID));
		jsonb_add_text(line, "sku", names.sku);
		jsonb_add_text(line, "title", names.title);
		jsonb_add_int(line, "quantity", row_get_int32(&row, ITEMS_QUANTITY));
		jsonb_add_int(line, "amount", row_get_int64(&row, ITEMS_AMOUNT));
		jsonb_array_add(lines, line);
	}
	order_lines_names_close(&names);
	rows_close(rows);
	return jsonb_array_end(lines);
}

void
after_sale_describe(JsonbBuilder *payload, int64 after_sale_id, int64 order_id)
{
	int64		room = order_message_room();

	describe_order(payload, order_id);
	describe_case(payload, after_sale_id);
	order_message_add_lines(payload, read_lines(after_sale_id), &room);
}

/*
 * release.c
 *		order.release_assets, stock.release and coupon.release: releasing what a canceled order
 *		held.
 *
 * The first is the fan-out: one message per asset kind that applies to the order, based on what
 * it holds now rather than on the message. They are published in the handler's transaction, so a
 * redelivery after a failure repeats nothing. Each kind registered by applications gets a
 * message.
 */
#include "compat.h"

#include "catalog/pg_type.h"

#include "core/jsonb_build.h"
#include "core/spi_util.h"
#include "handlers/batch.h"
#include "handlers/release.h"
#include "machine/assets.h"
#include "machine/coupon.h"
#include "machine/journal.h"
#include "machine/stock.h"

static SavedPlan read_assets = SAVED_PLAN(
	"SELECT o.order_id, o.user_id, o.version, o.coupon_id,"
	"   EXISTS (SELECT FROM order_ext_internal.payments p"
	"           WHERE p.order_id = o.order_id AND p.status = " CODE(PAYMENT_CAPTURED)
	"            AND p.purpose IN (" PURPOSES_OF_ORDER ")"
	"             AND p.amount > 0)"
	" FROM order_ext_internal.orders o"
	" WHERE o.order_id = ANY ($1) AND o.status = " CODE(ORDER_CANCELED),
	INT8ARRAYOID);

static void
publish_builtin(Journal *journal, uint64 row)
{
	int64		order_id = row_int64(row, 1);
	int64		user_id = row_int64(row, 2);
	int32		version = row_int32(row, 3);
	Jsonb	   *payload = jsonb_object_end(journal_payload(order_id, user_id, version));

	if (row_bool(row, 5))
		journal_message(journal, TOPIC_REFUND_PREPARE, order_id, payload);
	journal_message(journal, TOPIC_STOCK_RELEASE, order_id, payload);
	if (!row_is_null(row, 4))
	{
		JsonbBuilder *coupon = journal_payload(order_id, user_id, version);

		jsonb_add_id(coupon, "coupon_id", row_int64(row, 4));
		journal_message(journal, TOPIC_COUPON_RELEASE, order_id, jsonb_object_end(coupon));
	}
}

static void
publish_registered(Journal *journal, uint64 row, const Asset *assets, int n)
{
	int64		order_id = row_int64(row, 1);
	int			i;

	for (i = 0; i < n; i++)
	{
		JsonbBuilder *payload = jsonb_object_begin();

		jsonb_add_id(payload, "order_id", order_id);
		jsonb_add_id(payload, "user_id", row_int64(row, 2));
		jsonb_add_text(payload, "kind", assets[i].kind);
		journal_message(journal, (BuiltinTopic) assets[i].topic_id, order_id,
						jsonb_object_end(payload));
	}
}

void
handle_release_assets(Message *messages, int n)
{
	Asset	   *assets;
	int			n_assets = assets_read(&assets);
	Journal    *journal = journal_begin(GetCurrentTimestamp());
	Datum		values[1] = {int64_array(batch_keys(messages, n), n)};
	uint64		orders = plan_query(&read_assets, values, NULL, 0);
	uint64		i;

	for (i = 0; i < orders; i++)
	{
		publish_builtin(journal, i);
		publish_registered(journal, i, assets, n_assets);
	}
	journal_write(journal);
}

void
handle_stock_release(Message *messages, int n)
{
	bool	   *busy = palloc0(sizeof(bool) * n);

	stock_release(batch_keys(messages, n), n, GetCurrentTimestamp(), busy);
	batch_mark_busy(messages, n, busy);
}

void
handle_coupon_release(Message *messages, int n)
{
	bool	   *busy = palloc0(sizeof(bool) * n);
	Journal    *journal = journal_begin(GetCurrentTimestamp());

	coupons_release(journal, batch_keys(messages, n), n, busy);
	journal_write(journal);
	batch_mark_busy(messages, n, busy);
}

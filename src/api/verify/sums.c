/*
 * sums.c
 *		Sums over large tables; see sums.h.
 *
 * The large tables are read once each, by as many processes as the server gives, and become a few
 * rows. What a check compares of them takes no time; if it differs, the check joins the tables to
 * find what does.
 */
#include "compat.h"

#include "api/verify/check.h"
#include "api/verify/refunds.h"
#include "api/verify/sums.h"
#include "core/spelling.h"
#include "machine/base/machine.h"

#define HASH_SUM(key, second_key, amount) \
	"order_ext_internal.hash_sum(" key ", " second_key ", " amount ")"

/* versions, chain: what the rows of transition_log of these entities must be. */
#define CHAINS_OF(machine, id, version, status) \
	" sum(" version ") AS versions," \
	" order_ext_internal.chain_sum(" id ", " CODE(machine) "::smallint," \
	"  1, " CODE(STATUS_NONE) "::smallint, " version " + 1, " status ") AS chain"

/* free: rows that are in no sum of amounts. goods: what the lines cost. */
static const char orders_sums[] =
	"SELECT status, paid_at IS NOT NULL AS paid, currency, count(*) AS n,"
	" count(*) FILTER (WHERE origin_amount = 0) AS free,"
	" count(*) FILTER (WHERE pay_amount <> origin_amount - discount_amount + freight_amount)"
	"  AS unfit,"
	" min(expire_at) AS first_due,"
	" " HASH_SUM("order_id", "1", "1") " AS orders,"
	" " HASH_SUM("order_id", "2", "origin_amount") " AS origin,"
	" " HASH_SUM("order_id", "3", "discount_amount") " AS discount,"
	" " HASH_SUM("order_id", "4", "pay_amount") " AS pay,"
	" " HASH_SUM("order_id", "4", "pay_amount - freight_amount") " AS goods,"
	" " HASH_SUM("order_id", "coupon_id", "1") " AS coupons,"
	CHAINS_OF(MACHINE_ORDER, "order_id", "version", "status")
	" FROM order_ext_internal.orders GROUP BY status, paid_at IS NOT NULL, currency";

/* The product fits a bigint up to this price. */
static const char items_sums[] =
	"SELECT reservation, count(*) FILTER (WHERE pay + discount = 0) AS free,"
	" count(*) FILTER (WHERE least(pay, discount) < 0 OR CASE WHEN price BETWEEN 0 AND 4000000000"
	"  THEN pay <> price * quantity - discount ELSE true END) AS unfit,"
	" " HASH_SUM("order_id", "2", "pay + discount") " AS origin,"
	" " HASH_SUM("order_id", "3", "discount") " AS discount,"
	" " HASH_SUM("order_id", "4", "pay") " AS goods,"
	" " HASH_SUM("product_id", "1", "quantity") " AS pieces,"
	" " HASH_SUM("order_id", "product_id", "quantity") " AS order_pieces"
	" FROM order_ext_internal.order_items GROUP BY reservation";

/* covered: by the newest fold of the product; NULL = there is none. */
static const char ledger_sums[] =
	"SELECT l.kind, l.xid < n.before OR pg_visible_in_snapshot(l.xid, n.covered) AS covered,"
	" " HASH_SUM("l.product_id", "1", "l.reserved_delta") " AS reserved,"
	" " HASH_SUM("l.product_id", "2", "l.available_delta") " AS available,"
	" " HASH_SUM("l.product_id", "3", "l.consumed_delta") " AS consumed,"
	" " HASH_SUM("l.order_id", "l.product_id", "l.reserved_delta") " AS order_reserved,"
	" " HASH_SUM("l.order_id", "l.product_id", "l.consumed_delta") " AS order_consumed"
	" FROM order_ext_internal.stock_ledger l LEFT JOIN (" NEWEST_FOLDS ") n"
	"  ON n.product_id = l.product_id"
	" GROUP BY 1, 2";

static const char payments_sums[] =
	"SELECT status, purpose, currency, pay_type, count(*) AS n, count(captured_at) AS captured,"
	" count(*) FILTER (WHERE out_trade_no <> " SPELLING_TRIM_SQL("out_trade_no") ") AS untrimmed,"
	" " HASH_SUM("order_id", "1", "1") " AS orders,"
	" " HASH_SUM("order_id", "4", "amount") " AS amount,"
	CHAINS_OF(MACHINE_PAYMENT, "payment_id", "version", "status")
	" FROM order_ext_internal.payments GROUP BY status, purpose, currency, pay_type";

/*
 * Of payments that have refunds. unfit: those with a refund that does not fit, or with more of them
 * than was captured. whole: all of it goes back, or so it was decided; canceled: with its order.
 */
static const char refunds_sums[] =
	"SELECT purpose, canceled, whole, count(*) FILTER (WHERE unfit) AS unfit,"
	" " HASH_SUM("order_id", "4", "amount") " AS amount"
	" FROM (SELECT min(p.purpose) AS purpose, min(p.order_id) AS order_id, min(p.amount) AS amount,"
	"  bool_or(r.cause = " CODE(CAUSE_CANCEL) ") AS canceled,"
	"  sum(" REFUND_DECIDED ") >= min(p.amount) AS whole,"
	"  bool_or(p.payment_id IS NULL OR p.status <> " CODE(PAYMENT_CAPTURED)
	"   OR p.purpose IS NULL OR " REFUND_IS_UNFIT ")"
	"  OR sum(r.amount) FILTER (WHERE r.status IN (" REFUNDS_LIVE "))"
	"   > min(CASE WHEN p.purpose = " CODE(PURPOSE_DUPLICATE) " THEN 0 ELSE p.amount END) AS unfit"
	" FROM order_ext_internal.refunds r"
	" LEFT JOIN order_ext_internal.payments p ON p.payment_id = r.payment_id"
	" LEFT JOIN order_ext_internal.after_sales a ON a.after_sale_id = r.after_sale_id"
	" GROUP BY r.payment_id) AS given GROUP BY purpose, canceled, whole";

static const char fulfilments_sums[] =
	"SELECT status, prior_status, count(*) AS n, " HASH_SUM("order_id", "1", "1") " AS orders,"
	CHAINS_OF(MACHINE_FULFILMENT, "order_id", "version", "status")
	" FROM order_ext_internal.fulfilments GROUP BY status, prior_status";

static const char documents_sums[] =
	"SELECT kind, status, count(*) AS n, " HASH_SUM("order_id", "1", "1") " AS orders"
	" FROM order_ext_internal.fulfilment_documents GROUP BY kind, status";

static const char coupons_sums[] =
	"SELECT status, " HASH_SUM("order_id", "coupon_id", "1") " AS orders,"
	CHAINS_OF(MACHINE_COUPON, "coupon_id", "version", "status")
	" FROM order_ext_internal.coupons GROUP BY status";

/* Entities of the log that are not so many. */
static const char other_sums[] =
	"SELECT " CODE(MACHINE_AFTER_SALE) " AS machine,"
	CHAINS_OF(MACHINE_AFTER_SALE, "after_sale_id", "version", "status")
	" FROM order_ext_internal.after_sales"
	" UNION ALL SELECT " CODE(MACHINE_RETURN) ","
	CHAINS_OF(MACHINE_RETURN, "after_sale_id", "return_version", "return_status")
	" FROM order_ext_internal.after_sales WHERE return_version > 0"
	" UNION ALL SELECT " CODE(MACHINE_REFUND) ","
	CHAINS_OF(MACHINE_REFUND, "refund_id", "version", "status")
	" FROM order_ext_internal.refunds";

/* steps: those that the message log is complete for. */
static const char log_sums[] =
	"SELECT machine, from_status, to_status, event, count(*) AS n,"
	" order_ext_internal.chain_sum(entity_id, machine, version, from_status, version + 1,"
	"  to_status) AS chain,"
	" " HASH_SUM("order_id", "xid", "1") " FILTER (WHERE at > (" HORIZON_AT ")) AS steps"
	" FROM order_ext_internal.transition_log GROUP BY machine, from_status, to_status, event";

static const char messages_sums[] =
	"SELECT topic_id, max(message_id) AS newest,"
	" " HASH_SUM("key", "xid", "1") " FILTER (WHERE published_at > (" HORIZON_AT ")) AS steps"
	" FROM order_ext_internal.message_log GROUP BY topic_id";

static const struct
{
	const char *name;
	const char *sql;
}			tables[] = {
	{"orders_sums", orders_sums},
	{"items_sums", items_sums},
	{"ledger_sums", ledger_sums},
	{"payments_sums", payments_sums},
	{"refunds_sums", refunds_sums},
	{"fulfilments_sums", fulfilments_sums},
	{"documents_sums", documents_sums},
	{"coupons_sums", coupons_sums},
	{"other_sums", other_sums},
	{"log_sums", log_sums},
	{"messages_sums", messages_sums},
	{"pending_keys", ALL_PENDING_KEYS}
};

StaticAssertDecl(lengthof(tables) == SUMS_TABLES, "one store for each table");

bool
sums_named(const char *sql)
{
	int			i;

	for (i = 0; i < SUMS_TABLES; i++)
	{
		if (strstr(sql, tables[i].name) != NULL)
			return true;
	}
	return false;
}

void
sums_make(SumsTables *made, const char *sql)
{
	int			i;

	for (i = 0; i < SUMS_TABLES; i++)
	{
		if (made->stores[i] == NULL && strstr(sql, tables[i].name) != NULL)
			made->stores[i] = store_table(tables[i].name, tables[i].sql, NULL);
	}
}

void
sums_end(SumsTables *made)
{
	int			i;

	for (i = 0; i < SUMS_TABLES; i++)
	{
		if (made->stores[i] != NULL)
			store_end(made->stores[i]);
		made->stores[i] = NULL;
	}
}

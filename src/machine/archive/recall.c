/*
 * recall.c
 *		Orders of the archive about which something is reported; see recall.h and docs/archive.md.
 */
#include "compat.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"

#include "core/errors.h"
#include "core/locks.h"
#include "core/spi_util.h"
#include "machine/archive/recall.h"

static SavedPlan is_archived = SAVED_PLAN(
	"SELECT FROM order_ext_archive.orders WHERE order_id = $1",
	INT8OID);

static SavedPlan find_key = SAVED_PLAN(
	"SELECT order_id FROM order_ext_archive.keys"
	" WHERE key = order_ext_internal.archive_key($1, $2) ORDER BY order_id",
	TEXTOID, TEXTOID);

static SavedPlan bring_back = SAVED_PLAN(
	"SELECT order_ext_internal.recall_order($1)",
	INT8OID);

/* What has an id, by that. */
static RowTable orders = ROW_TABLE("orders", "orders_pkey", "order_id");
static struct
{
	const char *kind;
	RowTable	table;
}			of_kinds[] = {
	{"payment", ROW_TABLE("payments", "payments_pkey", "payment_id")},
	{"refund", ROW_TABLE("refunds", "refunds_pkey", "refund_id")},
	{"after_sale", ROW_TABLE("after_sales", "after_sales_pkey", "after_sale_id")},
};

uint64
recall_look_now(SavedPlan *plan, const Datum *values)
{
	uint64		found;

	/* not before the SQL objects are those of 0.7 */
	if (!OidIsValid(get_namespace_oid("order_ext_archive", true)))
		return 0;
	PushActiveSnapshot(GetLatestSnapshot());
	found = plan_query_in_snapshot(plan, values, NULL, 0);
	PopActiveSnapshot();
	return found;
}

bool
recall_is_archived(int64 order_id)
{
	Datum		values[1] = {Int64GetDatum(order_id)};

	return recall_look_now(&is_archived, values) > 0;
}

/* If another transaction is bringing the order back, it is waited for. */
bool
recall_order(int64 order_id)
{
	Datum		values[1] = {Int64GetDatum(order_id)};

	if (!recall_is_archived(order_id))
	{
		recall_newer(&orders, values, lengthof(values));
		return false;
	}
	lock_wait(LOCK_ARCHIVE, order_id);
	(void) plan_write(&bring_back, values, NULL, 1);
	if (!row_bool(0, 1) && IsolationUsesXactSnapshot())
		error_conflict("an order was archived or brought back by another transaction");
	return true;
}

/*
 * The caller learns only now which order it is about, and is going to lock it. Others have locked
 * it when they find that it is archived.
 */
static void
lock_order(int64 order_id)
{
	lock_wait(LOCK_ORDER_PAY, order_id);
	lock_wait(LOCK_ORDER_CANCEL, order_id);
	lock_wait(LOCK_REFUND, order_id);
}

bool
recall_by_number(const char *kind, const char *number)
{
	Datum		values[2];
	int64	   *ids;
	int			n;
	int			i;

	values[0] = CStringGetTextDatum(kind);
	values[1] = CStringGetTextDatum(number);
	n = (int) recall_look_now(&find_key, values);
	ids = palloc(sizeof(int64) * Max(n, 1));
	for (i = 0; i < n; i++)
		ids[i] = row_int64(i, 1);
	for (i = 0; i < n; i++)
	{
		lock_order(ids[i]);
		(void) recall_order(ids[i]);
	}
	return n > 0;
}

bool
recall_by_id(const char *kind, int64 id)
{
	Datum		key = Int64GetDatum(id);
	int			i;

	if (recall_by_number(kind, psprintf(INT64_FORMAT, id)))
		return true;
	for (i = 0; i < (int) lengthof(of_kinds); i++)
	{
		if (strcmp(of_kinds[i].kind, kind) == 0)
			recall_newer(&of_kinds[i].table, &key, 1);
	}
	return false;
}

void
recall_newer(RowTable *table, const Datum *keys, int n_keys)
{
	Rows	   *rows;
	bool		is_newer;

	if (!IsolationUsesXactSnapshot())
		return;
	rows = rows_open(table, ROWS_READ);
	is_newer = rows_is_taken(rows, keys, n_keys);
	rows_close(rows);
	if (is_newer)
		error_conflict("a row of \"%s\" was inserted by another transaction", table->table);
}

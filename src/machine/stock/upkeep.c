/*
 * upkeep.c
 *		The ledgers of products that nobody orders; see upkeep.h.
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/memutils.h"

#include "core/locks.h"
#include "core/spi_util.h"
#include "machine/stock/upkeep.h"

static SavedPlan products_from = SAVED_PLAN(
	"SELECT product_id FROM order_ext_internal.products WHERE product_id >= $1"
	" ORDER BY product_id",
	INT8OID);

static SavedPlan last_product = SAVED_PLAN_NO_ARGS(
	"SELECT coalesce(max(product_id), 0) FROM order_ext_internal.products");

/* After one of so many rows that are inserted without counting, somebody looks. */
#define ROWS_PER_LOOK 16

void
stock_upkeep_now_and_then(StockReader *reader, int64 product_id)
{
	if (random_fraction() * ROWS_PER_LOOK < 1)
		stock_fold_when_due(reader, product_id);
}

void
stock_upkeep(int products)
{
	StockReader *reader = stock_reader_open(true);
	MemoryContext each = AllocSetContextCreate(CurrentMemoryContext, "order_ext stock",
											   ALLOCSET_DEFAULT_SIZES);
	int64	   *ids = palloc(sizeof(int64) * products);
	Datum		values[1];
	int			n;
	int			i;

	(void) plan_query(&last_product, NULL, NULL, 0);
	values[0] = Int64GetDatum((int64) (random_fraction() * (double) row_int64(0, 1)));
	n = (int) plan_query(&products_from, values, NULL, products);
	for (i = 0; i < n; i++)
		ids[i] = row_int64(i, 1);
	if (n < products)
	{
		/* from the first one on, up to where it began */
		int			wrapped;

		values[0] = Int64GetDatum(0);
		wrapped = (int) plan_query(&products_from, values, NULL, products - n);
		for (i = 0; i < wrapped && (n == 0 || row_int64(i, 1) < ids[0]); i++)
			ids[n + i] = row_int64(i, 1);
		n += i;
	}
	for (i = 0; i < n; i++)
	{
		MemoryContext old = MemoryContextSwitchTo(each);

		CHECK_FOR_INTERRUPTS();
		stock_tend(reader, ids[i]);
		MemoryContextSwitchTo(old);
		MemoryContextReset(each);
	}
	MemoryContextDelete(each);
	stock_reader_close(reader);
}

/*
 * fold_stock(product_ids): folds that cover the rows of all ended transactions. Who began to count
 * before has finished, so nobody reads those rows any more, and they may change.
 */
PG_FUNCTION_INFO_V1(order_ext_fold_stock);
Datum
order_ext_fold_stock(PG_FUNCTION_ARGS)
{
	StockReader *reader = stock_reader_open(true);
	Datum	   *ids;
	bool	   *nulls;
	int			n;
	int			i;

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(0), INT8OID, sizeof(int64), FLOAT8PASSBYVAL,
					  TYPALIGN_DOUBLE, &ids, &nulls, &n);
	for (i = 0; i < n; i++)
	{
		int64		product_id = DatumGetInt64(ids[i]);

		CHECK_FOR_INTERRUPTS();
		stock_fold(reader, product_id, true);
		lock_moment_begin(LOCK_STOCK, product_id);
		lock_moment_end(LOCK_STOCK, product_id);
	}
	stock_reader_close(reader);
	PG_RETURN_VOID();
}

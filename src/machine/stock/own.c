/*
 * own.c
 *		What this transaction has moved of a product; see own.h.
 */
#include "compat.h"

#include "access/xact.h"
#include "storage/proc.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

#include "machine/stock/own.h"

/* Fewer are read each time. */
#define MANY_ROWS 16

typedef struct OwnEntry
{
	int64		product_id;
	StockOwn	sum;
} OwnEntry;

/* In the memory of the transaction with this local id. */
static HTAB *sums = NULL;
static LocalTransactionId sums_of = InvalidLocalTransactionId;

/* Which rows are gone is not known: all are read again. */
static void
forget_on_rollback(SubXactEvent event, SubTransactionId subid, SubTransactionId parent, void *arg)
{
	if (event == SUBXACT_EVENT_ABORT_SUB)
		sums = NULL;
}

static OwnEntry *
find(int64 product_id)
{
	if (sums == NULL || sums_of != MyLocalTransactionId)
		return NULL;
	return hash_search(sums, &product_id, HASH_FIND, NULL);
}

const StockOwn *
stock_own_known(int64 product_id)
{
	OwnEntry   *entry = find(product_id);

	return entry != NULL ? &entry->sum : NULL;
}

static void
make_table(void)
{
	static bool registered = false;
	HASHCTL		control = {0};

	if (!registered)
		RegisterSubXactCallback(forget_on_rollback, NULL);
	registered = true;
	control.keysize = sizeof(int64);
	control.entrysize = sizeof(OwnEntry);
	control.hcxt = TopTransactionContext;
	sums = hash_create("order_ext stock moved by this transaction", 64, &control,
					   HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	sums_of = MyLocalTransactionId;
}

void
stock_own_remember(int64 product_id, const StockOwn *sum, int rows)
{
	OwnEntry   *entry;

	if (rows <= MANY_ROWS)
		return;
	if (sums == NULL || sums_of != MyLocalTransactionId)
		make_table();
	entry = hash_search(sums, &product_id, HASH_ENTER, NULL);
	entry->sum = *sum;
}

void
stock_own_add(int64 product_id, int64 available, int64 units)
{
	OwnEntry   *entry = find(product_id);

	if (entry == NULL)
		return;
	entry->sum.available += available;
	entry->sum.units += units;
}

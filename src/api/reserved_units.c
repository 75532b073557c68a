/*
 * reserved_units.c
 *		Freeing reserved units; see reserved_units.h.
 */
#include "compat.h"

#include "catalog/pg_type.h"

#include "api/reserved_units.h"
#include "core/error_facts.h"
#include "core/errors.h"
#include "core/jsonb_build.h"
#include "core/locks.h"
#include "core/spi_util.h"
#include "machine/cancel/cancel.h"
#include "machine/stock/stock.h"

/* Read in steps, as the first ones usually do. */
#define HOLDERS_PER_STEP 100

/* The ledger has them in the order of their transactions. */
static SavedPlan unpaid_holders = SAVED_PLAN(
	"SELECT l.order_id, -l.available_delta"
	" FROM order_ext_internal.stock_ledger l"
	" JOIN order_ext_internal.orders o ON o.order_id = l.order_id"
	" WHERE l.product_id = $1 AND l.kind = " CODE(LEDGER_RESERVE)
	"  AND o.status = " CODE(ORDER_CREATED)
	" ORDER BY l.xid DESC, o.created_at DESC",
	INT8OID);

typedef struct Holder
{
	int64		order_id;
	int64		units;
} Holder;

static Jsonb *
cancel_detail(const char *sku, const char *reason)
{
	JsonbBuilder *detail = jsonb_object_begin();

	jsonb_add_text(detail, "cancel_type", "customer_service");
	jsonb_add_text(detail, "written_off", sku);
	if (reason != NULL)
		jsonb_add_text(detail, "reason", reason);
	return jsonb_object_end(detail);
}

/* False if somebody is working on the order, or it is not unpaid any more. */
static bool
cancel(int64 order_id, const char *sku, const char *reason)
{
	OrderChange change = {.cancels = true, .cancel_type = CANCEL_BY_CUSTOMER_SERVICE};
	Journal    *journal;
	Order		order;

	if (!lock_try(LOCK_ORDER_CANCEL, order_id) || !order_read_current(order_id, &order) ||
		order.status != ORDER_CREATED)
		return false;
	journal = journal_begin(GetCurrentTimestamp());
	(void) cancel_order_locked(journal, &order, ACTOR_STAFF, &change, cancel_detail(sku, reason));
	journal_write(journal);
	return true;
}

static Holder *
next_holders(Portal portal, int *n)
{
	Holder	   *holders = palloc(sizeof(Holder) * HOLDERS_PER_STEP);
	int			i;

	*n = (int) plan_fetch(portal, HOLDERS_PER_STEP);
	for (i = 0; i < *n; i++)
	{
		holders[i].order_id = row_int64(i, 1);
		holders[i].units = row_int64(i, 2);
	}
	return holders;
}

static void
raise_too_few(const char *sku, int64 units, int64 freed)
{
	ErrorFactList too_few = {0};

	error_facts_add(&too_few, "",
					"{reserved} do, without those of orders that are being worked on; {wanted} "
					"are to be written off", FACT_TEXT("sku", sku), FACT_INT("wanted", units),
					FACT_INT("reserved", freed));
	ereport(ERROR,
			(errcode(ERRCODE_OE_STOCK_SHORT),
			 errmsg("too few reserved units of \"%s\" belong to unpaid orders", sku),
			 error_facts("{short}.", FACT_LIST("short", &too_few)),
			 errhint("Report what is missing of a paid order with report_shortage.")));
}

void
reserved_units_free(int64 product_id, const char *sku, int64 units, const char *reason)
{
	Datum		values[1] = {Int64GetDatum(product_id)};
	Portal		portal = plan_open(&unpaid_holders, values, NULL);
	int64		freed = 0;
	int			n = 1;

	while (freed < units && n > 0)
	{
		Holder	   *holders = next_holders(portal, &n);
		int			i;

		for (i = 0; i < n && freed < units; i++)
		{
			if (!cancel(holders[i].order_id, sku, reason))
				continue;
			/* not by the message that the cancel sends: they are needed now */
			stock_release(&holders[i].order_id, 1, GetCurrentTimestamp());
			freed += holders[i].units;
		}
		pfree(holders);
	}
	plan_close(portal);
	if (freed < units)
		raise_too_few(sku, units, freed);
}

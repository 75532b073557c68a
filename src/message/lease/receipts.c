/*
 * receipts.c
 *		When leases end; see receipts.h.
 *
 * A lease counts from the commit: what a transaction does between its receive() and its commit
 * does not shorten the lease. So the receipts are noted here and appended by the pre-commit
 * callback.
 */
#include "compat.h"

#include "access/genam.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "commands/sequence.h"
#include "utils/fmgroids.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "core/append.h"
#include "core/internal.h"
#include "core/spi_util.h"
#include "message/lease/receipts.h"
#include "message/log/floors.h"

/* Columns of lease_receipts. */
enum
{
	RECEIPT_RECEIPT = 1,
	RECEIPT_LEASE_UNTIL,
	RECEIPT_GROUP_ID,
	RECEIPT_TOKENS,
	RECEIPT_COLUMNS = RECEIPT_TOKENS
};

typedef struct PendingReceipt
{
	struct PendingReceipt *next;
	SubTransactionId subid;
	int64		receipt;
	int32		group_id;
	int64		lease;
	int64	   *tokens;
	int			n;				/* 0 = those derived from its number */
	bool		answered;		/* possibly no lease of it is left */
} PendingReceipt;

/* The receipts of this transaction, in TopTransactionContext. */
static PendingReceipt *pending = NULL;

/*
 * Locked rows are left for later: an empty receipt does no harm. One that is found empty stays
 * empty, since new leases name receipts that are not committed yet.
 */
static SavedPlan sweep = SAVED_PLAN(
	"DELETE FROM order_ext_internal.lease_receipts WHERE receipt IN ("
	" SELECT r.receipt FROM order_ext_internal.lease_receipts r"
	" WHERE r.receipt = ANY ($1)"
	" AND NOT EXISTS (SELECT FROM order_ext_internal.leases l"
	"  WHERE " OF_RECEIPT("r.receipt")
	"  AND l.until_receipt = r.receipt)"
	" AND NOT EXISTS (SELECT FROM order_ext_internal.leases l"
	"  WHERE l.token = ANY (r.tokens) AND l.until_receipt = r.receipt)"
	" FOR UPDATE OF r SKIP LOCKED)",
	INT8ARRAYOID);

int64
receipt_next(void)
{
	return nextval_internal(internal_relation("lease_receipt_seq"), false);
}

void
receipt_note(int64 receipt, int32 group_id, int64 lease, const int64 *tokens, int n)
{
	PendingReceipt *note = MemoryContextAlloc(TopTransactionContext, sizeof(PendingReceipt));

	note->subid = GetCurrentSubTransactionId();
	note->receipt = receipt;
	note->group_id = group_id;
	note->lease = lease;
	note->tokens = NULL;
	note->n = n;
	note->answered = false;
	if (n > 0)
	{
		note->tokens = MemoryContextAlloc(TopTransactionContext, sizeof(int64) * n);
		memcpy(note->tokens, tokens, sizeof(int64) * n);
	}
	note->next = pending;
	pending = note;
}

void
receipts_sweep(const int64 *receipts, int n)
{
	PendingReceipt *note;
	Datum		value;
	int			i;

	if (n == 0)
		return;
	for (note = pending; note != NULL; note = note->next)
	{
		for (i = 0; i < n; i++)
			note->answered |= (note->receipt == receipts[i]);
	}
	value = int64_array(receipts, n);
	plan_write(&sweep, &value, NULL, 0);
}

/* ---- at commit ---- */

/* Whether a lease exists with one of the tokens derived from the receipt's number. */
static bool
receipt_has_leases(int64 receipt)
{
	Relation	rel = table_open(internal_relation("leases"), AccessShareLock);
	Relation	index = index_open(internal_relation("leases_pkey"), AccessShareLock);
	ScanKeyData keys[2];
	SysScanDesc scan;
	bool		found;

	ScanKeyInit(&keys[0], 1, BTGreaterEqualStrategyNumber, F_INT8GE,
				Int64GetDatum(receipt * TOKENS_A_RECEIPT));
	ScanKeyInit(&keys[1], 1, BTLessStrategyNumber, F_INT8LT,
				Int64GetDatum((receipt + 1) * TOKENS_A_RECEIPT));
	PushActiveSnapshot(GetTransactionSnapshot());
	scan = systable_beginscan_ordered(rel, index, GetActiveSnapshot(), lengthof(keys), keys);
	found = HeapTupleIsValid(systable_getnext_ordered(scan, ForwardScanDirection));
	systable_endscan_ordered(scan);
	PopActiveSnapshot();
	index_close(index, NoLock);
	table_close(rel, NoLock);
	return found;
}

static void
append_receipts(bool prepared)
{
	TimestampTz now = GetCurrentTimestamp();
	Datum		values[RECEIPT_COLUMNS];
	bool		nulls[RECEIPT_COLUMNS] = {false};
	Appender   *appender;
	PendingReceipt *note;

	/* the extension may have been dropped in this transaction, too */
	if (!OidIsValid(get_namespace_oid("order_ext_internal", true)))
		return;
	appender = append_open("lease_receipts");
	for (note = pending; note != NULL; note = note->next)
	{
		if (note->answered && note->n == 0 && !receipt_has_leases(note->receipt))
			continue;
		values[RECEIPT_RECEIPT - 1] = Int64GetDatum(note->receipt);
		values[RECEIPT_LEASE_UNTIL - 1] = TimestampTzGetDatum(now + note->lease);
		values[RECEIPT_GROUP_ID - 1] = Int32GetDatum(note->group_id);
		nulls[RECEIPT_TOKENS - 1] = (note->n == 0);
		values[RECEIPT_TOKENS - 1] = note->n == 0 ? (Datum) 0 : int64_array(note->tokens, note->n);
		append_row(appender, values, nulls);
		if (prepared)
			floors_row_inserted(now + note->lease);
	}
	append_close(appender);
}

static void
on_transaction_event(XactEvent event, void *arg)
{
	switch (event)
	{
		case XACT_EVENT_PRE_COMMIT:
		case XACT_EVENT_PRE_PREPARE:
			if (pending != NULL)
				append_receipts(event == XACT_EVENT_PRE_PREPARE);
			break;
		case XACT_EVENT_COMMIT:
		case XACT_EVENT_ABORT:
		case XACT_EVENT_PREPARE:
			pending = NULL;
			break;
		default:
			break;
	}
}

/*
 * Notes of a rolled back subtransaction are dropped; those of a committed one become its
 * parent's.
 */
static void
on_subtransaction_event(SubXactEvent event, SubTransactionId subid, SubTransactionId parent,
						void *arg)
{
	PendingReceipt **link;

	if (event != SUBXACT_EVENT_ABORT_SUB && event != SUBXACT_EVENT_COMMIT_SUB)
		return;
	for (link = &pending; *link != NULL;)
	{
		if ((*link)->subid != subid)
			link = &(*link)->next;
		else if (event == SUBXACT_EVENT_ABORT_SUB)
			*link = (*link)->next;
		else
			(*link)->subid = parent;
	}
}

void
receipts_init(void)
{
	RegisterXactCallback(on_transaction_event, NULL);
	RegisterSubXactCallback(on_subtransaction_event, NULL);
}

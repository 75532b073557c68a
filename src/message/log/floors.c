/*
 * floors.c
 *		Where scans begin; see floors.h.
 */
#include "compat.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "utils/hsearch.h"
#include "utils/inval.h"

#include "core/internal.h"
#include "message/log/floors.h"

/* Anything missed is found after this time. */
#define FLOOR_LIFE (60 * USECS_PER_SEC)

typedef struct FloorKey
{
	int32		of;
	int32		group_id;
	LogPart		part;
} FloorKey;

typedef struct Floor
{
	FloorKey	key;
	TimestampTz floor;
	TimestampTz if_aborted;		/* its value before this transaction wrote */
	TimestampTz from_beginning; /* time of the last scan from the beginning */
} Floor;

static HTAB *floors = NULL;

/* The table whose invalidation lowers all floors; known as soon as there are any. */
static Oid	retries_oid = InvalidOid;

/* Some if_aborted differs from its floor. */
static bool unsure = false;

/* The earliest row that this transaction has inserted for other processes. */
static TimestampTz first_inserted = DT_NOEND;

static Floor *
get_floor(FloorOf of, int32 group_id, const LogPart *part)
{
	HASHCTL		control = {.keysize = sizeof(FloorKey), .entrysize = sizeof(Floor)};
	FloorKey	key = {.of = of, .group_id = group_id, .part = *part};
	Floor	   *floor;
	bool		found;

	if (floors == NULL)
		floors = hash_create("order_ext floors", 64, &control, HASH_ELEM | HASH_BLOBS);
	if (!OidIsValid(retries_oid))
		retries_oid = internal_relation("retries");
	floor = hash_search(floors, &key, HASH_ENTER, &found);
	if (!found)
		floor->floor = floor->if_aborted = floor->from_beginning = DT_NOBEGIN;
	return floor;
}

/* The last condition covers a clock that was set back. */
TimestampTz
floor_of(FloorOf of, int32 group_id, const LogPart *part, TimestampTz now)
{
	Floor	   *floor = get_floor(of, group_id, part);

	if (now > floor->from_beginning + FLOOR_LIFE || now < floor->from_beginning)
	{
		floor->floor = floor->if_aborted = DT_NOBEGIN;
		floor->from_beginning = now;
	}
	return floor->floor;
}

void
floor_raise(FloorOf of, int32 group_id, const LogPart *part, TimestampTz to)
{
	Floor	   *floor = get_floor(of, group_id, part);

	/* an old snapshot does not see all rows */
	if (to <= floor->floor || IsolationUsesXactSnapshot())
		return;
	floor->floor = to;
	if (TransactionIdIsValid(GetTopTransactionIdIfAny()))
		unsure = true;			/* rows that we have deleted may reappear */
	else
		floor->if_aborted = to;
}

void
floors_lower(void)
{
	CacheInvalidateRelcacheByRelid(internal_relation("retries"));
}

void
floors_row_inserted(TimestampTz due_at)
{
	first_inserted = Min(first_inserted, due_at);
}

/* ---- callbacks ---- */

/* At the end of a transaction; the other half of the slack is for the commit itself. */
static void
lower_for_late_rows(bool prepared)
{
	if (first_inserted == DT_NOEND ||
		(!prepared && GetCurrentTimestamp() < first_inserted + FLOOR_SLACK / 2))
		return;
	/* the extension may have been dropped in this transaction, too */
	if (OidIsValid(get_namespace_oid("order_ext_internal", true)))
		floors_lower();
}

static void
settle(bool committed)
{
	HASH_SEQ_STATUS all;
	Floor	   *floor;

	if (!unsure)
		return;
	hash_seq_init(&all, floors);
	while ((floor = hash_seq_search(&all)) != NULL)
	{
		if (committed)
			floor->if_aborted = floor->floor;
		else
			floor->floor = floor->if_aborted;
	}
	unsure = false;
}

static void
on_transaction_event(XactEvent event, void *arg)
{
	if (event == XACT_EVENT_PRE_COMMIT || event == XACT_EVENT_PRE_PREPARE)
	{
		lower_for_late_rows(event == XACT_EVENT_PRE_PREPARE);
		return;
	}
	if (event == XACT_EVENT_COMMIT)
		settle(true);
	else if (event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE)
		settle(false);
	first_inserted = DT_NOEND;
}

static void
on_subtransaction_event(SubXactEvent event, SubTransactionId subid, SubTransactionId parent,
						void *arg)
{
	if (event == SUBXACT_EVENT_ABORT_SUB)
		settle(false);
}

static void
on_relation_invalidated(Datum arg, Oid relid)
{
	HASH_SEQ_STATUS all;
	Floor	   *floor;

	if (floors == NULL || (relid != InvalidOid && relid != retries_oid))
		return;
	hash_seq_init(&all, floors);
	while ((floor = hash_seq_search(&all)) != NULL)
		floor->from_beginning = DT_NOBEGIN;
	retries_oid = InvalidOid;	/* it may be another table's from now on */
}

void
floors_init(void)
{
	RegisterXactCallback(on_transaction_event, NULL);
	RegisterSubXactCallback(on_subtransaction_event, NULL);
	CacheRegisterRelcacheCallback(on_relation_invalidated, (Datum) 0);
}

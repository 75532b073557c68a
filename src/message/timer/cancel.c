/*
 * cancel.c
 *		Canceled timers, from the firer's point of view: what it checks before it publishes. How
 *		it and cancel_message() pass each other: message/verbs/cancel_message.c.
 */
#include "compat.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/transam.h"
#include "access/xact.h"
#include "storage/bufmgr.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "core/internal.h"
#include "message/timer/cancel.h"

struct TimerCancels
{
	Relation	rel;
	Relation	index;
};

TimerCancels *
timer_cancels_open(void)
{
	TimerCancels *cancels;
	Relation	rel = table_open(internal_relation("timer_cancels"), RowExclusiveLock);

	if (RelationGetNumberOfBlocks(rel) == 0)
	{
		table_close(rel, NoLock);
		return NULL;
	}
	cancels = palloc(sizeof(TimerCancels));
	cancels->rel = rel;
	cancels->index = index_open(internal_relation("timer_cancels_pkey"), RowExclusiveLock);
	return cancels;
}

void
timer_cancels_close(TimerCancels *cancels)
{
	if (cancels == NULL)
		return;
	index_close(cancels->index, NoLock);
	table_close(cancels->rel, NoLock);
	pfree(cancels);
	CommandCounterIncrement();
}

TimerFate
timer_cancels_look(TimerCancels *cancels, int64 message_id)
{
	SnapshotData dirty;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	TimerFate	fate = TIMER_FIRES;

	if (cancels == NULL)
		return TIMER_FIRES;
	InitDirtySnapshot(dirty);
	ScanKeyInit(&key, 1, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(message_id));
	scan = systable_beginscan_ordered(cancels->rel, cancels->index, &dirty, 1, &key);
	while (fate == TIMER_FIRES &&
		   (tuple = systable_getnext_ordered(scan, ForwardScanDirection)) != NULL)
	{
		TM_FailureData failure;

		if (TransactionIdIsValid(dirty.xmin) || TransactionIdIsValid(dirty.xmax))
			fate = TIMER_UNDECIDED;
		else if (table_tuple_delete(cancels->rel, &tuple->t_self, GetCurrentCommandId(true),
									InvalidSnapshot, InvalidSnapshot, false, &failure,
									false) == TM_Ok)
			fate = TIMER_CANCELED;
		else
			fate = TIMER_UNDECIDED;
	}
	systable_endscan_ordered(scan);
	return fate;
}

/*
 * engine.c
 *		The frame of the message layer's own SQL; see engine.h.
 */
#include "compat.h"

#include "access/xact.h"
#include "executor/spi.h"
#include "storage/proc.h"
#include "utils/guc.h"
#include "utils/snapmgr.h"

#include "message/base/engine.h"

Oid
engine_take_over(EngineScope *scope)
{
	role_enter(&scope->owner, role_of_owner());
	(void) set_config_option("search_path", "pg_catalog, pg_temp",
							 PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	return scope->owner.user;
}

void
engine_give_back(EngineScope *scope)
{
	role_leave(&scope->owner);
}

void
engine_enter(EngineScope *scope)
{
	(void) engine_take_over(scope);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "could not connect to SPI");
}

void
engine_leave(EngineScope *scope)
{
	SPI_finish();
	engine_give_back(scope);
}

static void (*transaction_gate) (void) = NULL;

void
engine_set_gate(void (*gate) (void))
{
	transaction_gate = gate;
}

void
engine_begin_transaction(void)
{
	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	if (transaction_gate != NULL)
		transaction_gate();
	/* SPI requires an active snapshot, if only to take newer ones. */
	PushActiveSnapshot(GetTransactionSnapshot());
}

void
engine_commit_transaction(void)
{
	PopActiveSnapshot();
	CommitTransactionCommand();
}

void
engine_commit_as_configured(void)
{
	(void) set_config_option("synchronous_commit",
							 GetConfigOptionResetString("synchronous_commit"),
							 PGC_USERSET, PGC_S_SESSION, GUC_ACTION_LOCAL, true, 0, false);
}

static bool
work_in_transaction(bool (*work) (int32 arg), int32 arg)
{
	EngineScope scope;
	bool		result;

	engine_begin_transaction();
	engine_enter(&scope);
	result = work(arg);
	engine_leave(&scope);
	engine_commit_transaction();
	return result;
}

bool
engine_try_transaction(bool (*work) (int32 arg), int32 arg, int lock_timeout_ms, bool if_locked)
{
	MemoryContext context = CurrentMemoryContext;
	int			outer_lock_timeout = LockTimeout;
	volatile bool result = if_locked;

	PG_TRY();
	{
		LockTimeout = lock_timeout_ms;
		result = work_in_transaction(work, arg);
		LockTimeout = outer_lock_timeout;
	}
	PG_CATCH();
	{
		LockTimeout = outer_lock_timeout;
		if (geterrcode() != ERRCODE_LOCK_NOT_AVAILABLE)
			PG_RE_THROW();
		MemoryContextSwitchTo(context);
		FlushErrorState();
		AbortCurrentTransaction();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	return result;
}

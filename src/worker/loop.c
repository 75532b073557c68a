/*
 * loop.c
 *		The start and the loop of all background processes; see loop.h.
 */
#include "compat.h"

#include <signal.h>

#include "access/transam.h"
#include "access/xact.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/proc.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/timeout.h"

#include "core/clock.h"
#include "core/role.h"
#include "core/settings.h"
#include "message/base/engine.h"
#include "worker/attach.h"
#include "worker/checks.h"
#include "worker/loop.h"
#include "worker/shmem.h"

/*
 * The longest sleep. Events without a wake-up (COMMIT PREPARED, logical apply) are noticed then
 * by the number of completed transactions, and only by that.
 */
#define SAFETY_POLL_MS 2000

#define MAX_ERROR_PAUSE_SECONDS 60

/* What is short may be there again at any moment (SQLSTATEs of class 53). */
#define SHORTAGE_PAUSE_SECONDS 1

static bool reloaded = false;

typedef struct LoopState
{
	uint64		looked_at;		/* completed_transactions() at the last safety poll, + 1 */
	TimestampTz next_look;
	TimestampTz next_wakeup;	/* what the last turn asked for */
	TimestampTz now;			/* when we last read the clock */
	TimestampTz pause_until;	/* after an error */
	int			errors;			/* in a row */
	bool		stats_pending;
	bool		more;			/* the last turn left work */
	bool		shortage;		/* the last error was for lack of memory, space or locks */
} LoopState;

void
worker_signals(void)
{
	/* SIGINT cancels the running handler, as it does in a client's backend. */
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, die);
	BackgroundWorkerUnblockSignals();
}

/*
 * Settings that may have been made for a database's applications and that would break our own
 * transactions, or make handlers find other objects than they were written for. Handlers run
 * under these, too.
 */
static void
neutralize_settings(void)
{
	SetConfigOption("search_path", ROLE_SEARCH_PATH, PGC_SUSET, PGC_S_OVERRIDE);
	SetConfigOption("default_transaction_isolation", "read committed", PGC_SUSET, PGC_S_OVERRIDE);
	SetConfigOption("default_transaction_read_only", "off", PGC_SUSET, PGC_S_OVERRIDE);
	SetConfigOption("default_transaction_deferrable", "off", PGC_SUSET, PGC_S_OVERRIDE);
	SetConfigOption("statement_timeout", "0", PGC_SUSET, PGC_S_OVERRIDE);
	SetConfigOption("lock_timeout", "0", PGC_SUSET, PGC_S_OVERRIDE);
	/* New in 17. */
	if (GetConfigOption("transaction_timeout", true, false) != NULL)
		SetConfigOption("transaction_timeout", "0", PGC_SUSET, PGC_S_OVERRIDE);
}

void
worker_start(Datum main_arg)
{
	worker_signals();
	if (!worker_attach(main_arg))
		proc_exit(0);
	if (worker_must_leave())
		worker_leave(VERDICT_UNKNOWN);
	BackgroundWorkerInitializeConnectionByOid(worker_my_database->database, worker_my_slot->role,
											  0);
	neutralize_settings();
	if (worker_must_leave())
		worker_leave(VERDICT_UNKNOWN);
	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	check_gate();
	CommitTransactionCommand();
	engine_set_gate(check_gate);

	LWLockAcquire(worker_shared->lock, LW_EXCLUSIVE);
	if (worker_my_database->announced == worker_my_slot->announced)
		worker_my_database->verdict = VERDICT_RUN;
	LWLockRelease(worker_shared->lock);
	worker_wake_launcher();
}

void
worker_check_exit(void)
{
	if (ProcDiePending || worker_must_leave())
		worker_leave(VERDICT_UNKNOWN);
	if (!setting_enabled)
		worker_leave(VERDICT_DISABLED);
}

bool
worker_reloaded(void)
{
	bool		was = reloaded;

	reloaded = false;
	return was;
}

static void
handle_interrupts(const WorkerLoop *loop)
{
	/* Nothing is running that could be canceled. */
	QueryCancelPending = false;
	if (ConfigReloadPending)
	{
		ConfigReloadPending = false;
		ProcessConfigFile(PGC_SIGHUP);
		reloaded = true;
	}
	loop->check_exit();
	CHECK_FOR_INTERRUPTS();
}

/* Clean up after an error in a turn, as the main loop of a client's backend does. */
static void
recover(const WorkerLoop *loop, MemoryContext context)
{
	HOLD_INTERRUPTS();
	disable_all_timeouts(false);
	QueryCancelPending = false;
	MemoryContextSwitchTo(context);
	EmitErrorReport();
	AbortCurrentTransaction();
	FlushErrorState();
	if (loop->forget != NULL)
		loop->forget();
	RESUME_INTERRUPTS();
}

/* Run a turn; false if it ended in an error. */
static bool
run_turn(const WorkerLoop *loop, MemoryContext context, bool everything, LoopState *state)
{
	volatile bool worked = false;

	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		state->next_wakeup = DT_NOEND;
		state->more = loop->turn(everything, &state->next_wakeup);
		worked = true;
	}
	PG_CATCH();
	{
		state->shortage = ERRCODE_TO_CATEGORY(geterrcode()) ==
			ERRCODE_TO_CATEGORY(ERRCODE_INSUFFICIENT_RESOURCES);
		recover(loop, context);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(TopMemoryContext);
	MemoryContextReset(context);
	return worked;
}

/* Milliseconds to sleep, rounded up so that a deadline has passed on waking. */
static long
sleep_ms(TimestampTz until)
{
	int64		us = until - GetCurrentTimestamp();

	if (us <= 0)
		return 0;
	return (long) Min((us + 999) / 1000, SAFETY_POLL_MS);
}

/* Runs in the signal handler. */
static void
on_sleep_over(void)
{
	SetLatch(MyLatch);
}

/* WaitLatch() counts in milliseconds; a timer wakes us at the microsecond. */
static void
sleep_until(TimestampTz until, uint32 wait_event)
{
	static TimeoutId sleep_over = MAX_TIMEOUTS;
	long		ms = sleep_ms(until);
	bool		exact = ms > 0 && ms < SAFETY_POLL_MS;
	int			events;

	if (exact && sleep_over == MAX_TIMEOUTS)
		sleep_over = RegisterTimeout(USER_TIMEOUT, on_sleep_over);
	if (exact)
		enable_timeout_at(sleep_over, until);
	events = WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
					   ms, wait_event);
	if (exact)
		disable_timeout(sleep_over, false);
	if (events & WL_LATCH_SET)
		ResetLatch(MyLatch);
}

/*
 * At most every SAFETY_POLL_MS: whether a transaction that wrote has ended since the last time,
 * so that something may have happened without a wake-up. (The newest transaction id would not do:
 * COMMIT PREPARED does not need a new one.)
 */
static bool
look_for_the_untold(LoopState *state, TimestampTz now)
{
	const TimestampTz interval = SAFETY_POLL_MS * INT64CONST(1000);
	uint64		completed;
	bool		moved;

	if (!clock_pause_is_over(state->next_look, interval, now))
		return false;
	completed = completed_transactions() + 1;	/* so that 0 is none of them */
	moved = (completed != state->looked_at);
	state->looked_at = completed;
	state->next_look = now + interval;
	if (state->stats_pending && !moved)
	{
		pgstat_report_stat(true);
		state->stats_pending = false;
	}
	return moved;
}

static void
after_turn(LoopState *state, bool worked)
{
	int			seconds;

	if (worked)
	{
		state->errors = 0;
		state->pause_until = 0;
		worker_set_state(WORKER_IDLE);
	}
	else
	{
		seconds = state->errors < 6 ? 1 << state->errors : MAX_ERROR_PAUSE_SECONDS;
		seconds = Min(seconds, state->shortage ? SHORTAGE_PAUSE_SECONDS : MAX_ERROR_PAUSE_SECONDS);
		state->errors++;
		state->pause_until = GetCurrentTimestamp() + seconds * USECS_PER_SEC;
		/* The failure may have kept the turn from seeing everything. */
		state->looked_at = 0;
		state->next_look = 0;
		worker_set_state(WORKER_FAILING);
	}
	pgstat_report_stat(false);
	state->stats_pending = true;
	if (!state->more || !worked)
		pgstat_report_activity(STATE_IDLE, NULL);
}

void
worker_loop(const WorkerLoop *loop)
{
	MemoryContext context = AllocSetContextCreate(TopMemoryContext, "order_ext turn",
												  ALLOCSET_DEFAULT_SIZES);
	LoopState	state = {.more = true};
	uint32		idle = wait_event_named(loop->idle);
	uint32		pause = wait_event_named("OrderExtErrorPause");

	engine_set_gate(loop->gate);
	for (;;)
	{
		TimestampTz now;
		bool		everything;
		bool		worked;

		handle_interrupts(loop);
		now = GetCurrentTimestamp();
		worker_alive(now);
		if (now < state.now)
			state.next_wakeup = now;	/* the clock was set back: check again */
		state.now = now;
		if (!clock_pause_is_over(state.pause_until, MAX_ERROR_PAUSE_SECONDS * USECS_PER_SEC, now))
		{
			sleep_until(state.pause_until, pause);
			continue;
		}

		everything = look_for_the_untold(&state, now);
		if (!state.more && !everything && now < state.next_wakeup)
		{
			/*
			 * Announce until when we sleep before checking, so that no wake-up is lost in between.
			 */
			if (loop->sleeping != NULL)
				loop->sleeping(state.next_wakeup);
			if (!loop->wanted())
			{
				sleep_until(state.next_wakeup, idle);
				continue;
			}
		}

		worker_set_state(WORKER_BUSY);
		pgstat_report_activity(STATE_RUNNING, loop->activity);
		worked = run_turn(loop, context, everything, &state);
		after_turn(&state, worked);
	}
}

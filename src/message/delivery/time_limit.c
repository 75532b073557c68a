/*
 * time_limit.c
 *		order_ext.handler_timeout; see time_limit.h.
 */
#include "compat.h"

#include "miscadmin.h"
#include "storage/latch.h"
#include "utils/timeout.h"

#include "core/settings.h"
#include "message/delivery/callers_cancel.h"
#include "message/delivery/running.h"
#include "message/delivery/time_limit.h"

static EnableTimeoutParams timeouts[2] = {{.type = TMPARAM_AFTER}, {.type = TMPARAM_AFTER}};
static bool timeouts_registered = false;
static volatile sig_atomic_t passed = false;

/*
 * Runs in the signal handler. statement_timeout cannot be used: it is armed per statement of a
 * client, and background workers have none.
 */
static void
on_timeout(void)
{
	passed = true;
	InterruptPending = true;
	QueryCancelPending = true;
	SetLatch(MyLatch);
}

/*
 * The same time has passed again and the handler still has not returned: it catches the error of
 * on_timeout(). It cannot catch the end of the process. A client's process must not be ended.
 */
static void
on_overrun(void)
{
	if (running_overran())
		ProcDiePending = true;
	on_timeout();
}

void
time_limit_begin(void)
{
	passed = false;
	if (setting_handler_timeout == 0)
		return;
	if (!timeouts_registered)
	{
		timeouts[0].id = RegisterTimeout(USER_TIMEOUT, on_timeout);
		timeouts[1].id = RegisterTimeout(USER_TIMEOUT, on_overrun);
		timeouts_registered = true;
	}
	timeouts[0].delay_ms = setting_handler_timeout;
	timeouts[1].delay_ms = (int) Min(INT64CONST(2) * setting_handler_timeout, PG_INT32_MAX);
	enable_timeouts(timeouts, lengthof(timeouts));
}

static void
disarm(void)
{
	DisableTimeoutParams off[] = {{.id = timeouts[0].id}, {.id = timeouts[1].id}};

	if (timeouts_registered)
		disable_timeouts(off, lengthof(off));
}

/* The handler returned by itself, perhaps just before the cancel would have hit. */
void
time_limit_end(void)
{
	disarm();
	if (passed)
	{
		QueryCancelPending = false;
		passed = false;
	}
	callers_cancel_repeat();	/* at that moment, too, or caught by the handler */
}

/* It failed, perhaps at that moment. */
void
time_limit_end_failed(void)
{
	disarm();
	if (passed && !callers_cancel_seen())
		QueryCancelPending = false;
}

void
time_limit_forget(void)
{
	passed = false;
}

bool
time_limit_passed(void)
{
	return passed;
}

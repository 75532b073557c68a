/*
 * time_limit.c
 *		How long a handler may take; see time_limit.h.
 */
#include "compat.h"

#include "miscadmin.h"
#include "storage/latch.h"
#include "utils/timeout.h"

#include "core/settings.h"
#include "message/delivery/callers_cancel.h"
#include "message/delivery/running.h"
#include "message/delivery/time_limit.h"

/* A call of a series that takes longer is marked by itself. */
#define SLOW_MS 1

enum
{
	TIMEOUT_SLOW,
	TIMEOUT_LIMIT,
	TIMEOUT_OVERRUN,
	TIMEOUTS
};

static EnableTimeoutParams timeouts[TIMEOUTS] = {
	[TIMEOUT_SLOW] = {.type = TMPARAM_AFTER, .delay_ms = SLOW_MS},
	[TIMEOUT_LIMIT] = {.type = TMPARAM_AFTER},
	[TIMEOUT_OVERRUN] = {.type = TMPARAM_AFTER}
};
static bool timeouts_registered = false;
static volatile sig_atomic_t passed = false;
static int	current_limit;

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

static void
register_timeouts(void)
{
	if (timeouts_registered)
		return;
	timeouts[TIMEOUT_SLOW].id = RegisterTimeout(USER_TIMEOUT, running_slow);
	timeouts[TIMEOUT_LIMIT].id = RegisterTimeout(USER_TIMEOUT, on_timeout);
	timeouts[TIMEOUT_OVERRUN].id = RegisterTimeout(USER_TIMEOUT, on_overrun);
	timeouts_registered = true;
}

int
time_limit_of(const ConsumerGroup *group)
{
	return group->handler_timeout == GROUP_TIMEOUT_OF_SETTING ? setting_handler_timeout :
		group->handler_timeout;
}

void
time_limit_begin(int limit)
{
	int			first = running_in_series() ? TIMEOUT_SLOW : TIMEOUT_LIMIT;
	int			end = limit > 0 ? TIMEOUTS : TIMEOUT_LIMIT;

	passed = false;
	current_limit = limit;
	if (first >= end)
		return;
	register_timeouts();
	timeouts[TIMEOUT_LIMIT].delay_ms = limit;
	timeouts[TIMEOUT_OVERRUN].delay_ms = (int) Min(INT64CONST(2) * limit, PG_INT32_MAX);
	enable_timeouts(&timeouts[first], end - first);
}

static void
disarm(void)
{
	DisableTimeoutParams off[TIMEOUTS];
	int			i;

	if (!timeouts_registered)
		return;
	for (i = 0; i < TIMEOUTS; i++)
	{
		off[i].id = timeouts[i].id;
		off[i].keep_indicator = false;
	}
	disable_timeouts(off, TIMEOUTS);
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

char *
time_limit_text(void)
{
	return psprintf("%s (%d ms)",
					current_limit == setting_handler_timeout ? "order_ext.handler_timeout"
					: "the handler_timeout of its consumer group", current_limit);
}

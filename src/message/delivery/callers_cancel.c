/*
 * callers_cancel.c
 *		Canceling dispatch() itself; see callers_cancel.h.
 *
 * When the time limit of a handler expires, QueryCancelPending is set without a signal. A cancel
 * and the end of statement_timeout arrive as SIGINT, so a signal handler in front of the
 * backend's own sees them, whatever happens to the error. The end of lock_timeout arrives in the
 * same way; that is a failure of the handler.
 */
#include "compat.h"

#include <signal.h>

#include "miscadmin.h"
#include "utils/timeout.h"

#include "message/delivery/callers_cancel.h"

static struct sigaction outer;
static bool watching = false;
static volatile sig_atomic_t seen = false;

static void
on_cancel(SIGNAL_ARGS)
{
	if (!get_timeout_indicator(LOCK_TIMEOUT, false))
		seen = true;
	outer.sa_handler(postgres_signal_arg);
}

void
callers_cancel_watch(void)
{
	struct sigaction action;

	seen = false;
	if (sigaction(SIGINT, NULL, &outer) != 0)
		elog(ERROR, "could not read the handler of SIGINT: %m");
	watching = (outer.sa_flags & SA_SIGINFO) == 0 && outer.sa_handler != SIG_DFL &&
		outer.sa_handler != SIG_IGN;
	action = outer;
	action.sa_handler = on_cancel;
	if (watching && sigaction(SIGINT, &action, NULL) != 0)
		elog(ERROR, "could not set the handler of SIGINT: %m");
	CHECK_FOR_INTERRUPTS();
}

void
callers_cancel_unwatch(void)
{
	if (watching)
		(void) sigaction(SIGINT, &outer, NULL);
	watching = false;
	seen = false;
}

bool
callers_cancel_seen(void)
{
	return seen;
}

void
callers_cancel_repeat(void)
{
	if (!seen)
		return;
	QueryCancelPending = true;
	InterruptPending = true;
}

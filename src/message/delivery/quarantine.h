/*
 * quarantine.h
 *		Messages that crash the worker: marked while they run, and not retried forever.
 *
 * While a handler runs, its message is marked in memory that outlives the process and the crash
 * recovery of the server (the workers provide it). A process that exits normally, or because
 * another one crashed, removes its mark; marks left after a crash belong to the process that
 * crashed. The next dispatcher commits them to crash_suspects before it runs anything. A message
 * that was running in two crashes becomes a dead letter. A process that had to be ended because
 * its handler did not return is treated like one that crashed.
 */
#ifndef ORDER_EXT_QUARANTINE_H
#define ORDER_EXT_QUARANTINE_H

#include "postgres.h"

#include "message/base/catalog.h"
#include "message/delivery/pass_state.h"
#include "message/delivery/retries.h"
#include "message/delivery/running.h"

/* Record what was running in processes that crashed, in transactions of its own. */
extern void quarantine_record(const RunningMark *marks, int n);

/*
 * Check these deliveries against the suspects: those to be buried get that fate, crashed runs
 * count as attempts. Returns how many of them may be run now: if a batch crashed, one, and the
 * pass is isolated.
 */
extern int	quarantine_sift(Pass *pass, const ConsumerGroup *group, Delivery *deliveries, int n);

/* The failure recorded for a buried message. */
extern Failure *quarantine_failure(void);

/* The deliveries, from the front, were finished: delete their suspects. */
extern void quarantine_finished(const ConsumerGroup *group, const Delivery *deliveries, int n);

#endif							/* ORDER_EXT_QUARANTINE_H */

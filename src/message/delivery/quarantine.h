/*
 * quarantine.h
 *		Messages that crash the worker: noted while they run, and not run for ever.
 *
 * While a handler runs, the message it was given is marked in memory that outlives the
 * process and the crash recovery of the server (the workers provide it). A process that
 * ends in order, or because another one crashed, takes its mark away; what is left after a
 * crash was running in the process that crashed. The next dispatcher commits that to
 * crash_suspects before it runs anything. A message that was running in two crashes
 * is a dead letter. A process that had to be ended because its handler would not is treated
 * as one that crashed.
 */
#ifndef ORDER_EXT_QUARANTINE_H
#define ORDER_EXT_QUARANTINE_H

#include "postgres.h"

#include "message/base/catalog.h"
#include "message/delivery/retries.h"
#include "message/delivery/pass.h"
#include "message/delivery/running.h"

/* Record what was running in processes that crashed; commits transactions of its own. */
extern void quarantine_record(const RunningMark *marks, int n);

/*
 * What is known of these deliveries: those that are to be buried get that fate, crashed
 * runs count as attempts. Returns how many of them may be run now: where a batch crashed,
 * one, and the pass is isolated.
 */
extern int	quarantine_sift(Pass *pass, const ConsumerGroup *group, Delivery *deliveries, int n);

/* The failure that a buried message dies of. */
extern Failure *quarantine_failure(void);

/* The deliveries, from the front, were finished: forget what was held against them. */
extern void quarantine_finished(const ConsumerGroup *group, const Delivery *deliveries, int n);

#endif							/* ORDER_EXT_QUARANTINE_H */

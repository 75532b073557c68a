/*
 * crash_marks.h
 *		What each worker is running, in memory that survives a crash of the server and, if there
 *		is disk space, of the postmaster. See message/delivery/quarantine.h.
 */
#ifndef ORDER_EXT_CRASH_MARKS_H
#define ORDER_EXT_CRASH_MARKS_H

#include "postgres.h"

/*
 * Called when shared memory is set up, at server start and after each crash: keeps what crashed
 * processes left, and resets the marks. Raises no error.
 */
extern void crash_marks_startup(void);

/*
 * Called in a dispatcher before its first message: records what crashed in this database, and
 * begins to mark what it runs. The mark of a crash is dropped when its record is committed.
 */
extern void crash_marks_attach(void);

/*
 * Called before a turn: records what has since crashed in this database, or was ended because of
 * its handler. Starts and commits transactions.
 */
extern void crash_marks_record(void);

/*
 * This process exits normally: the message it is running is not to blame, unless the process
 * exits because of it; returns true in that case. What it has claimed to record is left to
 * others. Caller holds WorkerShared.lock exclusively.
 */
extern bool crash_marks_clear(void);

#endif							/* ORDER_EXT_CRASH_MARKS_H */

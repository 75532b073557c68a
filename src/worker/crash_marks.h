/*
 * crash_marks.h
 *		What each worker is running, in memory that survives the crash of the server, and,
 *		as far as there is room on the disk, that of the postmaster. See
 *		message/delivery/quarantine.h.
 */
#ifndef ORDER_EXT_CRASH_MARKS_H
#define ORDER_EXT_CRASH_MARKS_H

#include "postgres.h"

/*
 * When shared memory is set up, at the start of the server and after each crash: keep what
 * crashed processes left, and make the marks anew. Raises nothing.
 */
extern void crash_marks_startup(void);

/*
 * In a dispatcher, before its first message: record what crashed in this database, and
 * begin to mark what it runs. A mark of a crash is dropped when its record is committed.
 */
extern void crash_marks_attach(void);

/*
 * Record what crashed in this database, or was ended for its handler, since: before a turn.
 * Starts and commits transactions.
 */
extern void crash_marks_record(void);

/*
 * This process ends in order: whatever it is running is not to blame, unless the process ends
 * because of it: then true. What it was to record is left to others. Caller holds
 * WorkerShared.lock exclusively.
 */
extern bool crash_marks_clear(void);

#endif							/* ORDER_EXT_CRASH_MARKS_H */

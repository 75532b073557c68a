/*
 * crash_marks.h
 *		What each worker is running, in memory that survives the crash of the server: a file
 *		in the data directory that every process maps. See message/delivery/quarantine.h.
 */
#ifndef ORDER_EXT_CRASH_MARKS_H
#define ORDER_EXT_CRASH_MARKS_H

#include "postgres.h"

/*
 * When shared memory is set up, at the start of the server and after each crash: keep what
 * crashed processes left, and make the marks anew.
 */
extern void crash_marks_startup(void);

/*
 * In a dispatcher, before its first message: record what crashed in this database, and
 * begin to mark what it runs.
 */
extern void crash_marks_attach(void);

/*
 * This process ends in order: whatever it is running is not to blame, unless the process ends
 * because of it: then true. Caller holds WorkerShared.lock exclusively.
 */
extern bool crash_marks_clear(void);

#endif							/* ORDER_EXT_CRASH_MARKS_H */

/*
 * restore.h
 *		Timers of a database that was restored or copied.
 */
#ifndef ORDER_EXT_TIMER_RESTORE_H
#define ORDER_EXT_TIMER_RESTORE_H

#include "postgres.h"

/*
 * The database was restored or copied: its timers' transaction ids mean nothing here. Moves all
 * that have not fired to timers_far, which does not depend on them. Inside engine_enter().
 */
extern void timers_reset_after_restore(void);

#endif							/* ORDER_EXT_TIMER_RESTORE_H */

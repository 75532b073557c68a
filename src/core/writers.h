/*
 * writers.h
 *		Which transactions of this database are writing.
 *
 * Prefixes: writers_
 */
#ifndef ORDER_EXT_WRITERS_H
#define ORDER_EXT_WRITERS_H

#include "postgres.h"

#include "utils/timestamp.h"

/*
 * When the oldest running transaction of this database that has a transaction id began, and now
 * if there is none. DT_NOBEGIN if unknown: a prepared transaction, or a session that reports no
 * activity. SPI must be connected.
 */
extern TimestampTz writers_oldest_start(void);

#endif							/* ORDER_EXT_WRITERS_H */

/*
 * marks.h
 *		Marks: until when everything has been checked.
 *
 * Prefixes: marks_
 */
#ifndef ORDER_EXT_VERIFY_MARKS_H
#define ORDER_EXT_VERIFY_MARKS_H

#include "postgres.h"

#include "api/verify/recent.h"
#include "api/verify/store.h"

/*
 * The newest mark that the active snapshot shows, in CurrentMemoryContext; NULL if there is none,
 * or none that means anything in this cluster. SPI must be connected.
 */
extern VerifyMark *marks_newest(void);

/* Add the findings that the mark has kept to those of a recent check. */
extern void marks_add_found(const VerifyMark *mark, Store *into);

/*
 * Check what has been written since the newest mark, or everything where there is none or the
 * last full check was order_ext.verify_interval ago, and make a new mark. Does nothing if
 * somebody else is at it, if order_ext.verify_interval is 0, or while a prepared transaction is
 * open. SPI must be connected.
 */
extern void marks_move(void);

#endif							/* ORDER_EXT_VERIFY_MARKS_H */

/*
 * summarize.h
 *		Filters of the log by key: entries of its BRIN indexes.
 */
#ifndef ORDER_EXT_SUMMARIZE_H
#define ORDER_EXT_SUMMARIZE_H

/*
 * Make the filters of some ranges of pages that are complete. Returns whether there is more to do
 * at once. A segment that is locked is left for later. Within a transaction, as the owner.
 */
extern bool summarize_log(void);

/* A segment has been emptied in this transaction: its first range has no filter yet. */
extern void summarize_anew(int segment);

#endif							/* ORDER_EXT_SUMMARIZE_H */

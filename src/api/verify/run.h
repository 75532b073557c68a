/*
 * run.h
 *		Running the checks of verify().
 *
 * Prefixes: verify_run_
 */
#ifndef ORDER_EXT_VERIFY_RUN_H
#define ORDER_EXT_VERIFY_RUN_H

#include "postgres.h"

#include "api/verify/recent.h"
#include "api/verify/store.h"
#include "api/verify/sums.h"

/* A run: all of it under one snapshot, the active one from begin to end. */
typedef struct VerifyRun
{
	const VerifyMark *mark;		/* NULL = a full one */
	Oid			caller;			/* of verify(), for what is shown to him only; or InvalidOid */
	bool		other_version;	/* the SQL objects are not the library's */
	bool		has_tables;		/* of the recent check */
	SumsTables	sums;			/* of the full one */
	int			guc_level;
} VerifyRun;

/* Where findings (invariant, severity, entity, expected, actual) go. */
typedef struct VerifyFindings
{
	Store	   *repeated;		/* of checks that every recent check does; NULL = not run */
	Store	   *of_orders;		/* of checks that it does for orders that are open */
	Store	   *others;			/* of the rest */
} VerifyFindings;

/* SPI must be connected. begin takes the snapshot, and prepare makes the recent check's tables. */
extern void verify_run_begin(VerifyRun *run);
extern void verify_run_prepare(VerifyRun *run, const VerifyMark *mark);
extern void verify_run_end(VerifyRun *run);

/*
 * For the statements until the end of the GUC nest level, which join copies of the recent check:
 * they have no indexes and no statistics, and a nested loop over them takes the square of their
 * number.
 */
extern void verify_run_join_at_once(void);

/* Run the checks, or those of one invariant if it is not NULL. */
extern void verify_run_checks(VerifyRun *run, const char *invariant,
							  const VerifyFindings *findings);

#endif							/* ORDER_EXT_VERIFY_RUN_H */

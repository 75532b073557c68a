/*
 * verify_queries.h
 *		The checks of verify().
 */
#ifndef ORDER_EXT_VERIFY_QUERIES_H
#define ORDER_EXT_VERIFY_QUERIES_H

/*
 * One check of an invariant: a query that returns (severity, entity, expected,
 * actual), all text, and no row where all is well.
 */
typedef struct VerifyCheck
{
	const char *invariant;
	const char *name;			/* what it checks, for errcontext */
	const char *sql;
	const char *fingerprint;	/* a cheap query that says true where all is well; or NULL */
} VerifyCheck;

/* All checks, ordered by invariant; returns their number. */
extern int	verify_checks(const VerifyCheck **checks);

#endif							/* ORDER_EXT_VERIFY_QUERIES_H */

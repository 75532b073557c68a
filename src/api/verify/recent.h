/*
 * recent.h
 *		What the recent check does of each check, and the rows that it looks at.
 *
 * Prefixes: recent_
 */
#ifndef ORDER_EXT_VERIFY_RECENT_H
#define ORDER_EXT_VERIFY_RECENT_H

#include "postgres.h"

#include "utils/timestamp.h"

#include "api/verify/check.h"
#include "api/verify/store.h"

/* Until when everything has been checked, and what is to be looked at again. */
typedef struct VerifyMark
{
	int64		seq;
	TimestampTz at;
	TimestampTz full_at;		/* of the last full check */
	TimestampTz since;			/* nothing that is not visible in seen is older */
	TimestampTz unpaid_since;	/* no unpaid order had an earlier deadline */
	Datum		seen;			/* a pg_snapshot */
	Datum		open_orders;	/* a bigint[] */
	Datum		found;			/* a jsonb array: findings that only a full check would repeat */
	int64		log_blocks;		/* size of transition_log */
} VerifyMark;

/* What the recent check makes of a check. */
typedef enum RecentKind
{
	RECENT_SAME,				/* the same: it costs little, however much there is */
	RECENT_ORDERS,				/* the same, of the orders looked at; findings are repeated */
	RECENT_OWN,					/* a query of what has been added since the mark */
	RECENT_NONE					/* nothing */
} RecentKind;

extern RecentKind recent_kind(const VerifyCheck *check);

/* Whether that is the check's own query, about copies. */
extern bool recent_is_rewritten(const VerifyCheck *check);

/* The query of the recent check, with the arguments of recent_args(); not for RECENT_NONE. */
extern const char *recent_sql(const VerifyCheck *check);

/* A query that names tables of orders, about the rows looked at. */
extern char *recent_rewrite(const char *sql);

/* $1 is the mark's since, $2 its seen, $3 its unpaid_since, $4 its open_orders. */
extern void recent_args(const VerifyMark *mark, StoreArgs *args);

/*
 * Make the tables of the recent check: the rows of the orders that were touched since the mark, or
 * are open. SPI must be connected, and a snapshot active.
 */
extern void recent_begin(const VerifyMark *mark);
extern void recent_end(void);

#endif							/* ORDER_EXT_VERIFY_RECENT_H */

/*
 * snapshots.c
 *		pg_snapshot values in C; see snapshots.h.
 *
 * The server does not expose the type's internals, so values are parsed and built in their text
 * form, "xmin:xmax:xip,xip,...". That costs a microsecond per batch.
 */
#include "compat.h"

#include "access/xact.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"

#include "core/snapshots.h"

char *
snapshot_text(Datum pg_snapshot)
{
	return DatumGetCString(DirectFunctionCall1(pg_snapshot_out, pg_snapshot));
}

LogSnapshot *
snapshot_from_text(const char *text)
{
	LogSnapshot *snapshot = palloc(sizeof(LogSnapshot));
	const char *at = text;
	char	   *end;
	int			commas = 0;

	for (at = text; *at; at++)
		commas += (*at == ',');
	snapshot->xip = palloc(sizeof(uint64) * (commas + 1));
	snapshot->nxip = 0;

	snapshot->xmin = strtou64(text, &end, 10);
	if (*end != ':')
		elog(ERROR, "malformed snapshot \"%s\"", text);
	snapshot->xmax = strtou64(end + 1, &end, 10);
	if (*end != ':')
		elog(ERROR, "malformed snapshot \"%s\"", text);
	while (*(++end) != '\0')
	{
		snapshot->xip[snapshot->nxip++] = strtou64(end, &end, 10);
		if (*end == '\0')
			break;
	}
	return snapshot;
}

LogSnapshot *
snapshot_from_datum(Datum pg_snapshot)
{
	return snapshot_from_text(snapshot_text(pg_snapshot));
}

Datum
snapshot_to_datum(const LogSnapshot *snapshot)
{
	StringInfoData text;
	int			i;

	initStringInfo(&text);
	appendStringInfo(&text, UINT64_FORMAT ":" UINT64_FORMAT ":", snapshot->xmin, snapshot->xmax);
	for (i = 0; i < snapshot->nxip; i++)
		appendStringInfo(&text, "%s" UINT64_FORMAT, i > 0 ? "," : "", snapshot->xip[i]);
	return DirectFunctionCall1(pg_snapshot_in, CStringGetDatum(text.data));
}

/* Insert an id into the sorted list of those in progress. */
static void
add_in_progress(LogSnapshot *snapshot, uint64 xid)
{
	uint64	   *xip = palloc(sizeof(uint64) * (snapshot->nxip + 1));
	int			at = 0;
	int			i;

	while (at < snapshot->nxip && snapshot->xip[at] < xid)
		at++;
	for (i = 0; i < at; i++)
		xip[i] = snapshot->xip[i];
	xip[at] = xid;
	for (i = at; i < snapshot->nxip; i++)
		xip[i + 1] = snapshot->xip[i];
	snapshot->xip = xip;
	snapshot->nxip++;
	if (xid < snapshot->xmin)
		snapshot->xmin = xid;
}

LogSnapshot *
snapshot_active(void)
{
	LogSnapshot *snapshot = snapshot_from_datum(OidFunctionCall0(F_PG_CURRENT_SNAPSHOT));
	FullTransactionId own = GetTopFullTransactionIdIfAny();

	if (FullTransactionIdIsValid(own) && U64FromFullTransactionId(own) < snapshot->xmax &&
		snapshot_sees(snapshot, U64FromFullTransactionId(own)))
		add_in_progress(snapshot, U64FromFullTransactionId(own));
	return snapshot;
}

/* As many ids in progress as a snapshot lists in addition, so that another one can be seen. */
#define MAX_LISTED 1000

bool
snapshot_add(LogSnapshot *snapshot, uint64 xid)
{
	int			kept = 0;
	int			i;

	if (xid >= snapshot->xmax)
	{
		int			n = snapshot->nxip;
		uint64	   *xip;

		if (xid - snapshot->xmax > MAX_LISTED)
			return false;
		xip = palloc(sizeof(uint64) * (n + (xid - snapshot->xmax) + 1));
		memcpy(xip, snapshot->xip, sizeof(uint64) * n);
		while (snapshot->xmax < xid)
			xip[n++] = snapshot->xmax++;
		snapshot->xmax++;
		snapshot->xip = xip;
		snapshot->nxip = n;
		return true;
	}
	for (i = 0; i < snapshot->nxip; i++)
	{
		if (snapshot->xip[i] != xid)
			snapshot->xip[kept++] = snapshot->xip[i];
	}
	snapshot->nxip = kept;
	return true;
}

bool
snapshots_equal(const LogSnapshot *a, const LogSnapshot *b)
{
	return a->xmin == b->xmin && a->xmax == b->xmax && a->nxip == b->nxip &&
		memcmp(a->xip, b->xip, sizeof(uint64) * a->nxip) == 0;
}

bool
snapshot_sees(const LogSnapshot *snapshot, uint64 xid)
{
	int			low = 0;
	int			high = snapshot->nxip;

	if (xid < snapshot->xmin)
		return true;
	if (xid >= snapshot->xmax)
		return false;
	while (low < high)
	{
		int			middle = low + (high - low) / 2;

		if (snapshot->xip[middle] == xid)
			return false;
		if (snapshot->xip[middle] < xid)
			low = middle + 1;
		else
			high = middle;
	}
	return true;
}

/*
 * writers.c
 *		Which transactions of this database are writing; see writers.h.
 */
#include "compat.h"

#include "access/transam.h"
#include "miscadmin.h"
#include "utils/backend_status.h"

#include "core/spi_util.h"
#include "core/writers.h"

static SavedPlan count_prepared = SAVED_PLAN_NO_ARGS(
	"SELECT FROM pg_catalog.pg_prepared_xacts"
	" WHERE database = pg_catalog.current_database() LIMIT 1");

TimestampTz
writers_oldest_start(void)
{
	TimestampTz oldest = GetCurrentTimestamp();
	int			n;
	int			i;

	pgstat_clear_backend_activity_snapshot();
	n = pgstat_fetch_stat_numbackends();
	for (i = 1; i <= n; i++)
	{
		LocalPgBackendStatus *backend = backend_status_by_index(i);

		if (backend == NULL || !TransactionIdIsValid(backend->backend_xid) ||
			backend->backendStatus.st_databaseid != MyDatabaseId)
			continue;
		if (backend->backendStatus.st_xact_start_timestamp == 0)
			return DT_NOBEGIN;
		oldest = Min(oldest, backend->backendStatus.st_xact_start_timestamp);
	}

	/*
	 * Checked after the backends, so that a transaction missed there because it was just being
	 * prepared is seen here.
	 */
	if (plan_query(&count_prepared, NULL, NULL, 1) > 0)
		return DT_NOBEGIN;
	return oldest;
}

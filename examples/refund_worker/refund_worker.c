/*
 * refund_worker.c
 *		Executes the refunds of order_ext that wait for an external worker; see README.md.
 *
 *		refund_worker CONNINFO BOOKS [IDLE_SECONDS [TROUBLE_PERCENT [LEASE [PAY_TYPE]]]]
 *
 * A gateway knows its own payments only, so it claims refunds of one pay type (default: of all).
 * Runs until SIGTERM or SIGINT, or until so many seconds passed without a refund (0: never).
 * A lost connection is made again. It may be killed at any moment.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <libpq-fe.h>

#include "fake_gateway.h"

#define BATCH "10"
/* Between two rounds with nothing to do, the first and the longest; it doubles. */
#define FIRST_PAUSE 50000
#define LONGEST_PAUSE 1000000

static volatile sig_atomic_t stopping = 0;

static void
stop(int signal_number)
{
	(void) signal_number;
	stopping = 1;
}

/* Run a statement in its own transaction; NULL, after reporting the reason, if that fails. */
static PGresult *
run(PGconn *connection, const char *sql, int n, const char *const *values)
{
	PGresult   *result = PQexecParams(connection, sql, n, NULL, values, NULL, NULL, 0);

	if (PQresultStatus(result) == PGRES_TUPLES_OK)
		return result;
	fprintf(stderr, "%s", PQresultErrorMessage(result));
	PQclear(result);
	return NULL;
}

/*
 * Tell what the gateway said, if it was final. If this fails, the refund stays submitted,
 * and the gateway is asked again after the lease.
 */
static void
report(PGconn *connection, const char *refund_id, const char *amount, GatewayAnswer answer)
{
	const char *values[3] = {refund_id, answer == GATEWAY_SUCCEEDED ? "succeeded" : "failed", amount};
	PGresult   *result;

	if (answer != GATEWAY_SUCCEEDED && answer != GATEWAY_FAILED)
		return;
	result = run(connection,
				 "SELECT disposition FROM order_ext.refund_callback(refund_id => $1, outcome => $2, amount => $3)",
				 3, values);
	if (result == NULL)
		return;
	printf("%s %s %s\n", refund_id, values[1], PQgetvalue(result, 0, 0));
	fflush(stdout);
	PQclear(result);
}

/* One round: claim, and only after that commit call the gateway. Returns how many, or -1. */
static int
work(PGconn *connection, const char *books, int trouble, const char *lease, const char *pay_type)
{
	const char *values[4] = {BATCH, "refund_worker", lease, pay_type};
	PGresult   *claimed = run(connection,
							  "SELECT refund_id, amount, out_trade_no, payment_amount"
							  " FROM order_ext.claim_refunds($1, $2, $3::interval,"
							  "  CASE WHEN $4::text IS NOT NULL THEN ARRAY[$4::text] END)",
							  4, values);
	int			n;
	int			i;

	if (claimed == NULL)
		return -1;
	n = PQntuples(claimed);
	for (i = 0; i < n; i++)
	{
		const char *refund_id = PQgetvalue(claimed, i, 0);
		const char *amount = PQgetvalue(claimed, i, 1);

		report(connection, refund_id, amount,
			   gateway_refund(books, refund_id, amount, PQgetvalue(claimed, i, 3),
							  PQgetvalue(claimed, i, 2), trouble));
	}
	PQclear(claimed);
	return n;
}

int
main(int argc, char **argv)
{
	int			idle_seconds = argc > 3 ? atoi(argv[3]) : 0;
	int			trouble = argc > 4 ? atoi(argv[4]) : 0;
	const char *lease = argc > 5 ? argv[5] : "1 minute";
	const char *pay_type = argc > 6 ? argv[6] : NULL;
	time_t		last_work = time(NULL);
	useconds_t	pause = FIRST_PAUSE;
	PGconn	   *connection;

	if (argc < 3 || argc > 7)
	{
		fprintf(stderr, "usage: refund_worker CONNINFO BOOKS [IDLE_SECONDS [TROUBLE_PERCENT [LEASE [PAY_TYPE]]]]\n");
		return 1;
	}
	signal(SIGINT, stop);
	signal(SIGTERM, stop);
	connection = PQconnectdb(argv[1]);
	while (!stopping)
	{
		int			n = PQstatus(connection) == CONNECTION_OK ? work(connection, argv[2], trouble, lease, pay_type) : -1;

		if (n > 0)
		{
			last_work = time(NULL);
			pause = FIRST_PAUSE;
		}
		else if (idle_seconds > 0 && time(NULL) - last_work >= idle_seconds)
			break;
		else
		{
			usleep(pause);
			pause = 2 * pause < LONGEST_PAUSE ? 2 * pause : LONGEST_PAUSE;
		}
		if (n < 0 && PQstatus(connection) != CONNECTION_OK)
			PQreset(connection);
	}
	PQfinish(connection);
	return 0;
}

/*
 * consumer.c
 *		A consumer of order_ext messages, with libpq; see ../README.md.
 *
 *		consumer CONNINFO GROUP [IDLE_SECONDS]
 *
 * Runs until SIGTERM or SIGINT, or until so many seconds passed without a message. What it
 * has leased and not answered when it dies is delivered again when the lease is over.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libpq-fe.h>

#define BATCH "100"
#define LEASE "30 seconds"
#define LEASE_LOST "OE702"

static volatile sig_atomic_t stopping = 0;

static void
stop(int signal_number)
{
	(void) signal_number;
	stopping = 1;
}

static void
die(PGconn *connection, const char *what)
{
	fprintf(stderr, "%s: %s", what, PQerrorMessage(connection));
	PQfinish(connection);
	exit(1);
}

/* Run a statement; its result, or the end of the program. */
static PGresult *
run(PGconn *connection, const char *sql, int n, const char *const *values)
{
	PGresult   *result = PQexecParams(connection, sql, n, NULL, values, NULL, NULL, 0);

	if (PQresultStatus(result) != PGRES_TUPLES_OK)
		die(connection, sql);
	return result;
}

/*
 * The work itself, here a line of output. NULL if it went well, else what went wrong.
 */
static const char *
work(const char *message_id, const char *key, const char *attempt, const char *fail)
{
	if (fail != NULL)
		return fail;
	printf("%s %s %s\n", message_id, key, attempt);
	return fflush(stdout) == 0 ? NULL : "could not write";
}

/* Answer a lease. One that was lost is not ours to answer any more: whoever has it will. */
static void
answer(PGconn *connection, const char *sql, const char *group, const char *tokens, const char *error)
{
	const char *values[] = {group, tokens, error};
	PGresult   *result = PQexecParams(connection, sql, error != NULL ? 3 : 2, NULL, values, NULL, NULL, 0);
	const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);

	if (sqlstate != NULL && strcmp(sqlstate, LEASE_LOST) == 0)
		fprintf(stderr, "lease lost: %s\n", tokens);
	else if (PQresultStatus(result) != PGRES_TUPLES_OK)
		die(connection, sql);
	PQclear(result);
}

/* One batch; how many messages it had. */
static int
consume(PGconn *connection, const char *group)
{
	const char *values[] = {group};
	PGresult   *batch = run(connection,
							"SELECT message_id, key, attempt, token, payload->>'fail'"
							" FROM order_ext.receive($1, " BATCH ", '" LEASE "')", 1, values);
	int			n = PQntuples(batch);
	char	   *done = malloc((size_t) n * 24 + 3);
	size_t		length = 1;
	int			i;

	if (done == NULL)
		die(connection, "out of memory");
	strcpy(done, "{");
	for (i = 0; i < n; i++)
	{
		const char *token = PQgetvalue(batch, i, 3);
		const char *error = work(PQgetvalue(batch, i, 0), PQgetvalue(batch, i, 1), PQgetvalue(batch, i, 2),
								 PQgetisnull(batch, i, 4) ? NULL : PQgetvalue(batch, i, 4));

		if (error == NULL)
			length += (size_t) sprintf(done + length, "%s%s", length > 1 ? "," : "", token);
		else
		{
			char		one[32];

			snprintf(one, sizeof(one), "{%s}", token);
			answer(connection, "SELECT order_ext.nack($1, $2, error => $3)", group, one, error);
		}
	}
	if (length > 1)
	{
		strcpy(done + length, "}");
		answer(connection, "SELECT order_ext.ack($1, $2)", group, done, NULL);
	}
	free(done);
	PQclear(batch);
	return n;
}

/* Whether there is something to receive, within so many seconds. */
static int
wait_for_messages(PGconn *connection, const char *group, const char *seconds)
{
	const char *values[] = {group, seconds};
	PGresult   *result = run(connection,
							 "CALL order_ext.wait_for_messages($1, pg_catalog.make_interval(secs => $2), NULL)",
							 2, values);
	int			ready = strcmp(PQgetvalue(result, 0, 0), "t") == 0;

	PQclear(result);
	return ready;
}

int
main(int argc, char **argv)
{
	struct sigaction action;
	PGconn	   *connection;

	if (argc < 3)
	{
		fprintf(stderr, "usage: %s CONNINFO GROUP [IDLE_SECONDS]\n", argv[0]);
		return 2;
	}
	memset(&action, 0, sizeof(action));
	action.sa_handler = stop;
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);

	connection = PQconnectdb(argv[1]);
	if (PQstatus(connection) != CONNECTION_OK)
		die(connection, "could not connect");
	while (!stopping)
	{
		if (consume(connection, argv[2]) > 0)
			continue;
		/* with an end of the idling: one wait as long; else short ones, to notice a signal */
		if (!wait_for_messages(connection, argv[2], argc > 3 ? argv[3] : "1") && argc > 3)
			break;
	}
	PQfinish(connection);
	return 0;
}

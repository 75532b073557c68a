/*
 * consumer.c
 *		A consumer of order_ext messages, with libpq; see ../README.md.
 *
 *		consumer CONNINFO GROUP [IDLE_SECONDS [LEASE_SECONDS]]
 *
 * Runs until SIGTERM or SIGINT, or until so many seconds (0: for ever) passed without a
 * message. A lost connection is made again. What it has leased and not answered when it dies
 * is delivered again when the lease is over.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <libpq-fe.h>

#define BATCH "100"
#define DEFAULT_LEASE "30"
#define LEASE_LOST "OE702"
#define LONGEST_PAUSE 5

static PGconn *connection;
static const char *group;
static const char *lease;		/* seconds */
static volatile sig_atomic_t stopping = 0;

static void
stop(int signal_number)
{
	(void) signal_number;
	stopping = 1;
}

static void
die(const char *what)
{
	fprintf(stderr, "%s: %s", what, PQerrorMessage(connection));
	PQfinish(connection);
	exit(1);
}

/* Worth another try: the connection is lost, or the server is busy or going down. */
static int
will_pass(const char *sqlstate)
{
	return PQstatus(connection) != CONNECTION_OK ||
		(sqlstate != NULL && (strncmp(sqlstate, "40", 2) == 0 || strncmp(sqlstate, "53", 2) == 0 ||
							  strncmp(sqlstate, "57", 2) == 0 || strcmp(sqlstate, "OE110") == 0));
}

/*
 * Run a statement, a transaction of its own, again and again while that may help. Tokens are
 * good in any session, so that even an answer can be given after a reconnect; if it had
 * arrived already, the lease is "lost". Returns the result, or NULL if a lease was lost.
 */
static PGresult *
run(const char *sql, int n, const char *const *values)
{
	unsigned	pause = 1;

	for (;;)
	{
		PGresult   *result = PQexecParams(connection, sql, n, NULL, values, NULL, NULL, 0);
		const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
		int			lost = sqlstate != NULL && strcmp(sqlstate, LEASE_LOST) == 0;

		if (PQresultStatus(result) == PGRES_TUPLES_OK)
			return result;
		if (!lost && (stopping || !will_pass(sqlstate)))
			die(sql);
		PQclear(result);
		if (lost)
			return NULL;
		fprintf(stderr, "%s", PQerrorMessage(connection));
		sleep(pause);
		pause = pause * 2 < LONGEST_PAUSE ? pause * 2 : LONGEST_PAUSE;
		if (PQstatus(connection) != CONNECTION_OK)
			PQreset(connection);
	}
}

/* The work itself, here a line of output. NULL if it went well, else what went wrong. */
static const char *
work(const char *message_id, const char *key, const char *attempt, const char *fail, const char *seconds)
{
	if (seconds != NULL)
		sleep((unsigned) atoi(seconds));
	if (fail != NULL)
		return fail;
	printf("%s %s %s\n", message_id, key, attempt);
	return fflush(stdout) == 0 ? NULL : "could not write";
}

/* Call it for some tokens, and perhaps one more argument; false if a lease was lost. */
static int
answer(const char *sql, const char *const *tokens, int n, const char *argument)
{
	const char *values[3] = {group, NULL, argument};
	char	   *list = malloc((size_t) n * 24 + 3);
	size_t		length = 0;
	PGresult   *result;
	int			held;
	int			i;

	if (list == NULL)
		die("out of memory");
	for (i = 0; i < n; i++)
		length += (size_t) sprintf(list + length, "%s%s", i > 0 ? "," : "{", tokens[i]);
	strcpy(list + length, "}");
	values[1] = list;
	result = run(sql, argument != NULL ? 3 : 2, values);
	held = (result != NULL);
	PQclear(result);
	free(list);
	return held;
}

/*
 * These are done. One lease that was lost undoes the ack of all, so then each for itself;
 * the lost one is in other hands, whose answer counts.
 */
static void
ack(const char *const *tokens, int n)
{
	static const char *const sql = "SELECT order_ext.ack($1, $2)";
	int			i;

	if (n == 0 || answer(sql, tokens, n, NULL))
		return;
	for (i = 0; i < n; i++)
	{
		if (n == 1 || !answer(sql, tokens + i, 1, NULL))
			fprintf(stderr, "lease lost: %s\n", tokens[i]);
	}
}

/* One batch; how many messages it had. */
static int
consume(void)
{
	const char *values[] = {group, lease};
	PGresult   *batch = run("SELECT message_id, key, attempt, token, payload->>'fail', payload->>'seconds'"
							" FROM order_ext.receive($1, " BATCH ", pg_catalog.make_interval(secs => $2))", 2, values);
	time_t		leased_at = time(NULL);
	int			n = PQntuples(batch);
	const char **tokens = malloc(sizeof(char *) * (size_t) (n + 1));
	int			done = 0;		/* tokens[done..i) are of messages that went well */
	int			i;

	if (tokens == NULL)
		die("out of memory");
	for (i = 0; i < n; i++)
		tokens[i] = PQgetvalue(batch, i, 3);
	for (i = 0; i < n && !stopping; i++)
	{
		const char *error;

		/* a long batch: half of the lease is over, so hand in what is done and keep the rest */
		if (2 * (time(NULL) - leased_at) >= atoi(lease))
		{
			ack(tokens + done, i - done);
			done = i;
			if (!answer("SELECT order_ext.extend_lease($1, $2, pg_catalog.make_interval(secs => $3))",
						tokens + i, n - i, lease))
				break;			/* too late: they are delivered again */
			leased_at = time(NULL);
		}
		error = work(PQgetvalue(batch, i, 0), PQgetvalue(batch, i, 1), PQgetvalue(batch, i, 2),
					 PQgetisnull(batch, i, 4) ? NULL : PQgetvalue(batch, i, 4),
					 PQgetisnull(batch, i, 5) ? NULL : PQgetvalue(batch, i, 5));
		if (error == NULL)
			continue;
		ack(tokens + done, i - done);
		done = i + 1;
		if (!answer("SELECT order_ext.nack($1, $2, error => $3)", tokens + i, 1, error))
			fprintf(stderr, "lease lost: %s\n", tokens[i]);
	}
	ack(tokens + done, i - done);
	free(tokens);
	PQclear(batch);
	return n;
}

/* Whether there is something to receive, within so many seconds. */
static int
wait_for_messages(const char *seconds)
{
	const char *values[] = {group, seconds};
	PGresult   *result = run("CALL order_ext.wait_for_messages($1, pg_catalog.make_interval(secs => $2), NULL)",
							 2, values);
	int			ready = strcmp(PQgetvalue(result, 0, 0), "t") == 0;

	PQclear(result);
	return ready;
}

int
main(int argc, char **argv)
{
	struct sigaction action;
	int			ends;

	if (argc < 3 || argc > 5)
	{
		fprintf(stderr, "usage: %s CONNINFO GROUP [IDLE_SECONDS [LEASE_SECONDS]]\n", argv[0]);
		return 2;
	}
	group = argv[2];
	ends = argc > 3 && atof(argv[3]) > 0;
	lease = argc > 4 ? argv[4] : DEFAULT_LEASE;
	memset(&action, 0, sizeof(action));
	action.sa_handler = stop;
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);

	connection = PQconnectdb(argv[1]);
	if (PQstatus(connection) != CONNECTION_OK)
		die("could not connect");
	while (!stopping)
	{
		if (consume() > 0)
			continue;
		/* with an end of the idling: one wait as long; else short ones, to notice a signal */
		if (!stopping && !wait_for_messages(ends ? argv[3] : "1") && ends)
			break;
	}
	PQfinish(connection);
	return 0;
}

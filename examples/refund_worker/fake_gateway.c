/*
 * fake_gateway.c
 *		A payment gateway for tests; see fake_gateway.h.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "fake_gateway.h"

#define MAX_LINE 512

static void
die(const char *what)
{
	perror(what);
	exit(2);
}

/*
 * Whether the books have the refund; another amount under its number, or more refunds of a
 * payment than its total, end the program.
 */
static int
is_booked(FILE *file, const char *refund_id, const char *amount, const char *total,
		  const char *trade_no)
{
	char		line[MAX_LINE];
	char		booked_id[MAX_LINE];
	char		booked_amount[MAX_LINE];
	char		booked_trade[MAX_LINE];
	char		booked_total[MAX_LINE];
	long long	sum = atoll(amount);

	rewind(file);
	while (fgets(line, sizeof(line), file) != NULL)
	{
		if (sscanf(line, "%511s %511s %511s %511s", booked_id, booked_amount, booked_trade,
				   booked_total) != 4)
			continue;
		if (strcmp(booked_trade, trade_no) == 0)
		{
			sum += atoll(booked_amount);
			if (strcmp(booked_total, total) != 0)
			{
				fprintf(stderr, "payment %s has a total of %s, not %s\n", trade_no, booked_total, total);
				exit(3);
			}
		}
		if (strcmp(booked_id, refund_id) != 0)
			continue;
		if (strcmp(booked_amount, amount) != 0)
		{
			fprintf(stderr, "refund %s is booked with amount %s, but the request is for %s\n",
					refund_id, booked_amount, amount);
			exit(3);
		}
		return 1;
	}
	if (sum > atoll(total))
	{
		fprintf(stderr, "refunds of payment %s would be more than its total of %s\n", trade_no, total);
		exit(3);
	}
	return 0;
}

/* The line is on disk, in one write, before the caller is told. */
static void
book(int fd, const char *refund_id, const char *amount, const char *total, const char *trade_no)
{
	char		line[MAX_LINE];
	int			length = snprintf(line, sizeof(line), "%s %s %s %s\n", refund_id, amount, trade_no, total);

	if (length < 0 || length >= (int) sizeof(line))
		die("too long a line");
	if (write(fd, line, length) != length || fsync(fd) != 0)
		die("could not write to the books");
}

/* A number from 0 to 99. */
static int
dice(void)
{
	static int	seeded = 0;

	if (!seeded)
		srandom((unsigned) getpid());
	seeded = 1;
	return (int) (random() % 100);
}

GatewayAnswer
gateway_refund(const char *books, const char *refund_id, const char *amount, const char *total,
			   const char *trade_no, int trouble)
{
	int			fd = open(books, O_RDWR | O_CREAT | O_APPEND, 0600);
	FILE	   *file;
	int			bad = dice() < trouble;
	int			kind = dice() % 4;
	int			booked;

	if (fd < 0 || flock(fd, LOCK_EX) != 0 || (file = fdopen(fd, "r+")) == NULL)
		die(books);
	booked = is_booked(file, refund_id, amount, total, trade_no);
	if (!booked && !(bad && kind < 3))
	{
		book(fd, refund_id, amount, total, trade_no);
		booked = 1;
	}
	(void) fclose(file);		/* unlocks */

	if (bad && kind == 3)
		return GATEWAY_NO_ANSWER;	/* the money moved, but the answer was lost */
	if (booked)
		return GATEWAY_SUCCEEDED;
	return kind == 0 ? GATEWAY_FAILED : kind == 1 ? GATEWAY_PENDING : GATEWAY_NO_ANSWER;
}

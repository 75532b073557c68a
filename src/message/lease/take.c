/*
 * take.c
 *		Rows of messages that receive() takes; see take.h.
 */
#include "compat.h"

#include "message/lease/take.h"

/* Rows that are fetched at once, if they are small. */
#define FETCH 64

/* As many rows as fit in the rest, if none is larger than the largest so far. */
static int
next_fetch(Size largest, Size bytes, int limit)
{
	int			fitting = largest == 0 ? 1 : (int) Min(bytes / largest + 1, FETCH);

	return Min(fitting, limit);
}

int
take_rows(SavedPlan *query, const Datum *values, TakeRow read, int limit, Size bytes,
		  Delivery **deliveries, int64 **ids)
{
	Portal		rows = plan_open(query, values, NULL);
	Size		largest = 0;
	int			room = 0;
	int			n = 0;
	int			asked;
	int			got;
	int			i;

	*deliveries = NULL;
	*ids = NULL;
	do
	{
		asked = next_fetch(largest, bytes, limit - n);
		got = (int) plan_fetch(rows, asked);
		if (n + got > room)
		{
			room = Max(n + got, room * 2);
			*deliveries = n == 0 ? palloc(sizeof(Delivery) * room) :
				repalloc(*deliveries, sizeof(Delivery) * room);
			*ids = n == 0 ? palloc(sizeof(int64) * room) : repalloc(*ids, sizeof(int64) * room);
		}
		for (i = 0; i < got; i++, n++)
		{
			Delivery   *delivery = &(*deliveries)[n];
			Size		size;

			memset(delivery, 0, sizeof(Delivery));
			(*ids)[n] = read(i, delivery);
			size = VARSIZE(delivery->message.payload);
			largest = Max(largest, size);
			bytes -= Min(bytes, size);
		}
		SPI_freetuptable(SPI_tuptable);
	} while (got == asked && n < limit && bytes > 0);
	plan_close(rows);
	return n;
}

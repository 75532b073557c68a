/*
 * sequences.c
 *		Sequences that give out numbers again; see sequences.h.
 */
#include "compat.h"

#include "message/upkeep/sequences.h"

static SequencesRaise raise_used = NULL;

void
sequences_raise_with(SequencesRaise raise)
{
	raise_used = raise;
}

void
sequences_raise_all(void)
{
	if (raise_used != NULL)
		raise_used(true);
}

void
sequences_raise_newest(void)
{
	if (raise_used != NULL)
		raise_used(false);
}

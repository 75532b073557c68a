/*
 * sequences.h
 *		Sequences that give out numbers again: set back, or of a replica, which does not have them.
 */
#ifndef ORDER_EXT_SEQUENCES_H
#define ORDER_EXT_SEQUENCES_H

/*
 * A callback of who knows all tables: raise sequences that are behind what is in use. Unless all
 * are wanted, of messages only the newest of each topic are looked at, and nothing is read as a
 * whole. Runs with SPI connected, as the owner.
 */
typedef void (*SequencesRaise) (bool all);
extern void sequences_raise_with(SequencesRaise raise);

/* Have them raised by it, if one is registered. */
extern void sequences_raise(bool all);

#endif							/* ORDER_EXT_SEQUENCES_H */

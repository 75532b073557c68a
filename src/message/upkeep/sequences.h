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

/* Have it raise them, if one is registered: by all rows, or of messages by the newest ones. */
extern void sequences_raise_all(void);
extern void sequences_raise_newest(void);

#endif							/* ORDER_EXT_SEQUENCES_H */

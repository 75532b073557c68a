/*
 * node.h
 *		Which node this is: an id of the data directory, in a file of it that backups leave out.
 *
 * The stamp of a database names the node that it dispatches on. A server that was started
 * on a copy of the data directory has no such file and gets an id of its own, so that the
 * stamps in it are another node's. One that was ever started as a standby takes over from
 * the node that it followed: all stamps are its own from then on. (Which stamps a quiet copy
 * must not hand down to its standbys is in the stamps themselves: NODE_NONE.)
 */
#ifndef ORDER_EXT_NODE_H
#define ORDER_EXT_NODE_H

#include "postgres.h"

#define NODE_ANY 0				/* no node has bound the stamp to itself yet */
#define NODE_NONE (-1)			/* found in a copy: no node's until dispatch is enabled */

/* In the postmaster, when shared memory is set up: note if this is a standby. Raises nothing. */
extern void node_startup(void);

/* In the launcher, which is the only one at work on it: see to it that the file is there. */
extern void node_create(void);

/* The id of this node; NODE_ANY if it has none, as without workers. */
extern int64 node_id(void);

/* Whether a stamp with this node says that dispatch is enabled here. */
extern bool node_may_dispatch(int64 node);

#endif							/* ORDER_EXT_NODE_H */

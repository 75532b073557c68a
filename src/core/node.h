/*
 * node.h
 *		The identity of this node: an id of the data directory, in a file in it that backups omit.
 *
 * The stamp of a database names the node that it dispatches on. A server started on a copy of the
 * data directory has no such file and gets a new id, so that the stamps it finds are another
 * node's. A server that was ever started as a standby takes over from the node that it followed:
 * from then on, all stamps are its own. (Stamps that a quiet copy must not pass on to its
 * standbys are marked as such: NODE_NONE.)
 */
#ifndef ORDER_EXT_NODE_H
#define ORDER_EXT_NODE_H

#include "postgres.h"

#define NODE_ANY 0				/* the stamp is not bound to a node yet */
#define NODE_NONE (-1)			/* found in a copy: belongs to no node until dispatch is enabled */

/*
 * Called in the postmaster when shared memory is set up: notes whether this is a standby. Raises
 * no error.
 */
extern void node_startup(void);

/* Called in the launcher, the only process that writes the file: creates it if it is missing. */
extern void node_create(void);

/* The id of this node; NODE_ANY if it has none, as when there are no workers. */
extern int64 node_id(void);

/* Whether a stamp with the given node id means that dispatch is enabled here. */
extern bool node_may_dispatch(int64 node);

#endif							/* ORDER_EXT_NODE_H */

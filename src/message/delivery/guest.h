/*
 * guest.h
 *		A function that runs as a guest in the session of an application: the risk check and the
 *		price hook.
 */
#ifndef ORDER_EXT_GUEST_H
#define ORDER_EXT_GUEST_H

#include "postgres.h"

/* One call of a guest. */
typedef struct GuestScope
{
	const char *what;			/* "risk check", for messages */
	bool		has_limit;		/* false: that of what it runs in is its limit */
	struct GuestScope *outer;	/* the guest that it was called from, or NULL */
} GuestScope;

/* Called once from message_init(). */
extern void guest_init(void);

/*
 * Around the call of the function. It takes no longer than order_ext.handler_timeout, else it is
 * canceled (57014), and neither takes nor releases advisory locks or prepared statements of the
 * session (42501). Within a handler or another guest, the limit of that one is the limit. A guest
 * that is called from within itself is refused (55000). guest_end() tells whether it has taken too
 * long all the same, having caught the error.
 */
extern void guest_begin(GuestScope *scope, const char *what);
extern bool guest_end(const GuestScope *scope);

/* The same after an error of the function: whether it was canceled since it took too long. */
extern bool guest_failed(const GuestScope *scope);

#endif							/* ORDER_EXT_GUEST_H */

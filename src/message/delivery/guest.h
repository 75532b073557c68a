/*
 * guest.h
 *		A function that runs as a guest in the session of an application: the risk check.
 */
#ifndef ORDER_EXT_GUEST_H
#define ORDER_EXT_GUEST_H

/* Called once from message_init(). */
extern void guest_init(void);

/*
 * Around the call of the function. It takes no longer than order_ext.handler_timeout, else it is
 * canceled (57014), and neither takes nor releases advisory locks of the session (42501). Within
 * a handler, that handler's limit is the limit.
 */
extern void guest_begin(void);
extern void guest_end(void);

/* The same after an error of the function; raises another where it took too long. */
extern void guest_failed(void);

#endif							/* ORDER_EXT_GUEST_H */

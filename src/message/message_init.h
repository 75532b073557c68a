/*
 * message_init.h
 *		Initialization of the message layer.
 */
#ifndef ORDER_EXT_MESSAGE_INIT_H
#define ORDER_EXT_MESSAGE_INIT_H

/* Register the callbacks of the message layer; once, from _PG_init. */
extern void message_init(void);

#endif							/* ORDER_EXT_MESSAGE_INIT_H */

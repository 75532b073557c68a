/*
 * topics.h
 *		What subscribe.c needs from topics.
 */
#ifndef ORDER_EXT_TOPICS_H
#define ORDER_EXT_TOPICS_H

#include "postgres.h"

/*
 * The topic's id, kept from being dropped until the end of the transaction; raises OE701
 * if it does not exist. SPI must be connected, as the owner.
 */
extern int32 topic_hold(const char *name, bool *builtin);

#endif							/* ORDER_EXT_TOPICS_H */

/*
 * topics.h
 *		What others need from topics.
 */
#ifndef ORDER_EXT_TOPICS_H
#define ORDER_EXT_TOPICS_H

#include "postgres.h"

#include "message/base/catalog.h"

/*
 * The topic's id, kept from being dropped until the end of the transaction; raises OE701
 * if it does not exist. SPI must be connected, as the owner.
 */
extern int32 topic_hold(const char *name, bool *builtin);

/* What the catalog has of a topic that is held; OE701 if it is gone all the same. */
extern const Topic *topic_held(int32 topic_id, const char *name);

/*
 * What else than consumer groups needs topics, so that they cannot be dropped: a function that
 * returns its name, or NULL. Called as the owner, with SPI connected; set from _PG_init.
 */
typedef char *(*TopicUser) (int32 topic_id);
extern void topic_set_user(TopicUser user);

#endif							/* ORDER_EXT_TOPICS_H */

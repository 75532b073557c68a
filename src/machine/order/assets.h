/*
 * assets.h
 *		Kinds of assets that applications have registered: what a canceled order held of them is
 *		released by a message to their topic.
 */
#ifndef ORDER_EXT_MACHINE_ORDER_ASSETS_H
#define ORDER_EXT_MACHINE_ORDER_ASSETS_H

#include "postgres.h"

typedef struct Asset
{
	char	   *kind;
	int32		topic_id;
} Asset;

/* All of them that are not built in, ordered by kind; returns their number. */
extern int	assets_read(Asset **assets);

/* An asset kind whose topic this is, as "asset x"; NULL if there is none. */
extern char *assets_user_of_topic(int32 topic_id);

#endif							/* ORDER_EXT_MACHINE_ORDER_ASSETS_H */

/*
 * topic.h
 *		A topic with its options and grants, as the catalog has it.
 */
#ifndef ORDER_EXT_TOPIC_H
#define ORDER_EXT_TOPIC_H

#include "postgres.h"

/* Topics below this id are built in. */
#define FIRST_USER_TOPIC_ID 1000

/* What a role may do with a topic: see topic_rights.h. */
typedef struct TopicGrant
{
	Oid			role;
	int			privileges;
} TopicGrant;

typedef struct Topic
{
	int32		id;
	bool		builtin;
	bool		has_rights;		/* the SQL objects know of grants */
	char	   *name;
	int32		max_depth;		/* 0 = no limit */
	int32		dedup_window;	/* seconds */
	TopicGrant *grants;			/* a role each */
	int			n_grants;
} Topic;

#endif							/* ORDER_EXT_TOPIC_H */

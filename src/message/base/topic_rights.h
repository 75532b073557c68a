/*
 * topic_rights.h
 *		Who may do what with a topic: its owner and its grants.
 *
 * A role has what it, or a role whose privileges it has, was granted; an owner has it all, and
 * so have superusers. The kind of role that may call a function gives nothing here.
 */
#ifndef ORDER_EXT_TOPIC_RIGHTS_H
#define ORDER_EXT_TOPIC_RIGHTS_H

#include "postgres.h"

#include "message/base/topic.h"

/* Privileges, as bits. */
#define TOPIC_PUBLISH 0x1
#define TOPIC_SUBSCRIBE 0x2
#define TOPIC_CANCEL 0x4
#define TOPIC_OWN 0x8

/*
 * Read the grants of all topics (an array ordered by id) into the current memory context.
 * grants is topic_grants, or InvalidOid where SQL objects of an older version have none:
 * everybody may everything then, as in that version.
 */
extern void topic_rights_load(Oid grants, Topic *topics, int n_topics);

/* Raise 42501, naming the topic, unless the role has the privilege (one of the three). */
extern void topic_require(const Topic *topic, Oid role, int privilege);

/* The same unless the role is the topic's owner or an operator. */
extern void topic_require_control(const Topic *topic, Oid role);

/* Whether the role may operate topics and groups that are not its own. */
extern bool topic_rights_is_operator(Oid role);

#endif							/* ORDER_EXT_TOPIC_RIGHTS_H */

/*
 * catalog.h
 *		Topics with their rights, consumer groups, the database stamp and the rings, cached in
 *		each backend.
 *
 * The cache follows committed changes: code that changes one of these tables calls
 * catalog_changed(), and all backends reload them in their next transaction. Pointers are valid
 * until the first lookup after a change; copy what must live longer.
 */
#ifndef ORDER_EXT_CATALOG_H
#define ORDER_EXT_CATALOG_H

#include "compat.h"

#include "utils/jsonb.h"
#include "utils/timestamp.h"

#include "message/base/bound_roles.h"
#include "message/base/stamp.h"
#include "message/base/topic.h"

#define BACKOFF_EXPONENTIAL 1
#define BACKOFF_ROCKETMQ 2

/* The rings of tables that are written in turn. */
typedef enum Ring
{
	RING_LOG,					/* message_log_N, attempts_N */
	RING_DEDUP,
	RINGS
} Ring;

#define RING_SEGMENTS 4

/* Their names, as in ring_moves. */
extern const char *const catalog_ring_names[RINGS];

typedef struct RingState
{
	int64		seq;			/* of its newest move, 0 = none */
	int			current;		/* the segment being written */
	TimestampTz moved_at;		/* since when; 0 = since the beginning */
} RingState;

#define GROUP_TIMEOUT_OF_SETTING (-1)

typedef struct ConsumerGroup
{
	int32		id;
	int32		topic_id;
	int32		max_attempts;
	int16		backoff;
	bool		builtin;
	bool		batch;			/* handler takes order_ext.message[] */
	bool		paused;
	char	   *name;
	char	   *handler;		/* qualified signature; NULL if built in or external */
	BoundRole	run_as;			/* none if built in */
	char	   *start_at;		/* a pg_snapshot in text form */
	bool		ordered;
	BoundRole	handler_owner;	/* as of subscription; none: not known */
	int16		parts;			/* number of cursors that read it */
	char	   *barrier;		/* a pg_snapshot if parts is about to change, or NULL */
	bool		adapted;		/* the topic's C function calls the handler: delivery/builtin.h */
	int32		handler_timeout;	/* ms, 0: no limit; or GROUP_TIMEOUT_OF_SETTING */
	bool		suspects;		/* some of its messages may have crashed a worker */
} ConsumerGroup;

/* NULL if there is none. */
extern const Topic *catalog_topic_by_id(int32 topic_id);
extern const Topic *catalog_topic_by_name(const char *name);
extern const ConsumerGroup *catalog_group_by_id(int32 group_id);
extern const ConsumerGroup *catalog_group_by_name(const char *name);

/* Raise OE701: the topic, or the consumer group, does not exist. */
pg_noreturn extern void catalog_refuse_unknown_topic(const char *name);
pg_noreturn extern void catalog_refuse_unknown_group(const char *name);

/* Whether its messages wait for receive(), not for a handler. */
extern bool catalog_group_is_external(const ConsumerGroup *group);

/* Copy a group including its texts, so that the copy does not depend on the cache. */
extern void catalog_group_copy(const ConsumerGroup *cached, ConsumerGroup *copy);

/* All groups, ordered by id; returns their number. */
extern int	catalog_groups(const ConsumerGroup **groups);

/* The current segment of a ring. An older transaction may still write to the previous one. */
extern const RingState *catalog_ring_state(Ring ring);

/* Whether dispatch is enabled in the database, and if not, why. */
extern bool catalog_stamp_is_own(void);
extern StampState catalog_stamp_state(void);

/*
 * Changes whenever the cache is read anew. What was derived from it in an earlier transaction still
 * holds as long as this is the same, as far as this process has heard.
 */
extern uint64 catalog_generation(void);

/* One of the tables that are cached changed in this transaction: topics, topic_grants, ... */
extern void catalog_changed(const char *table);

/* Register the invalidation callback; once, from message_init(). */
extern void catalog_init(void);

#endif							/* ORDER_EXT_CATALOG_H */

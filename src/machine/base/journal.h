/*
 * journal.h
 *		The records of a unit of work: transition log rows and messages, collected while it runs
 *		and appended together at its end.
 */
#ifndef ORDER_EXT_MACHINE_BASE_JOURNAL_H
#define ORDER_EXT_MACHINE_BASE_JOURNAL_H

#include "core/jsonb_build.h"
#include "machine/base/machine.h"

typedef struct Journal Journal;

/* Create a journal in CurrentMemoryContext; all of its rows have the given time. */
extern Journal *journal_begin(TimestampTz at);

/* When the unit of work happens. */
extern TimestampTz journal_time(const Journal *journal);

/*
 * Record that an entity moved along the edge; version is the one after it. detail may be NULL.
 */
extern void journal_transition(Journal *journal, Machine machine, const Edge *edge,
							   int64 entity_id, int64 order_id, int32 version,
							   char actor, Jsonb *detail);

/*
 * Publish the messages of an order's edge, with the standard payload; the first one with that given
 * as first, unless that is NULL.
 */
extern void journal_edge_messages(Journal *journal, const Edge *edge, int64 order_id,
								  int64 user_id, int32 version, Jsonb *first);

/* Publish one message. */
extern void journal_message(Journal *journal, BuiltinTopic topic, int64 key, Jsonb *payload);

/*
 * Alert the operators: an alert of the given kind (core/alert.h), with its reason or NULL, and
 * the contents of the payload, which the caller has begun. Returns the whole payload.
 */
extern Jsonb *journal_alert(Journal *journal, int64 key, const char *kind, const char *reason,
							JsonbBuilder *payload);

/*
 * Begins the standard payload {order_id, user_id, version}, to which more can be added. user_id 0
 * (the order is not known) becomes null.
 */
extern JsonbBuilder *journal_payload(int64 order_id, int64 user_id, int32 version);

/* Append everything. The journal is then empty and can be reused. */
extern void journal_write(Journal *journal);

#endif							/* ORDER_EXT_MACHINE_BASE_JOURNAL_H */

/*
 * journal.h
 *		What a unit of work leaves behind: rows of the transition log and messages,
 *		collected while it runs and appended together at its end.
 */
#ifndef ORDER_EXT_JOURNAL_H
#define ORDER_EXT_JOURNAL_H

#include "core/jsonb_build.h"
#include "machine/machine.h"

typedef struct Journal Journal;

/* A new journal in CurrentMemoryContext; all of its rows carry this time. */
extern Journal *journal_begin(TimestampTz at);

/* When the unit of work happens. */
extern TimestampTz journal_time(const Journal *journal);

/*
 * Note that an entity went along the edge; version is the one after it. detail may be
 * NULL.
 */
extern void journal_transition(Journal *journal, Machine machine, const Edge *edge,
							   int64 entity_id, int64 order_id, int32 version,
							   char actor, Jsonb *detail);

/* Publish the messages of an order's edge, with the standard payload. */
extern void journal_edge_messages(Journal *journal, const Edge *edge,
								  int64 order_id, int64 user_id, int32 version);

/* The same with a payload of one's own. */
extern void journal_edge_payload(Journal *journal, const Edge *edge, int64 order_id,
								 Jsonb *payload);

/* Publish one message. */
extern void journal_message(Journal *journal, BuiltinTopic topic, int64 key, Jsonb *payload);

/*
 * Tell the operators: an alert of this kind (core/alert.h), with its reason or NULL, and with
 * what the payload, which is begun, says of it.
 */
extern void journal_alert(Journal *journal, int64 key, const char *kind, const char *reason,
						  JsonbBuilder *payload);

/*
 * The standard payload {order_id, user_id, version}; begun, so that more can be added.
 * user_id 0 (the order is not known) becomes null.
 */
extern JsonbBuilder *journal_payload(int64 order_id, int64 user_id, int32 version);

/* Append everything. The journal is then empty and may be used on. */
extern void journal_write(Journal *journal);

#endif							/* ORDER_EXT_JOURNAL_H */

/*
 * wake.h
 *		Waking the workers at commit: what a transaction published is noted here
 *		and handed to the workers by the commit callback.
 */
#ifndef ORDER_EXT_WAKE_H
#define ORDER_EXT_WAKE_H

#include "postgres.h"

#include "utils/timestamp.h"

/* The bit of a topic in a wake-up mask; topics may share a bit. */
#define WAKE_TOPIC_BIT(topic_id) (UINT64CONST(1) << ((topic_id) % 64))
#define WAKE_ALL_TOPICS (~UINT64CONST(0))

/* This transaction published to the topic: its readers wake if it commits. */
extern void wake_note_topic(int32 topic_id);

/* This transaction armed a timer due at due: the scheduler wakes if it commits. */
extern void wake_note_timer(TimestampTz due);

/*
 * This transaction changed who reads, or whether this database dispatches at all: its
 * workers look at everything anew if it commits.
 */
extern void wake_note_groups(void);
extern void wake_note_database(void);

/*
 * Who is told at commit; set by the workers' part of the library. It runs after the
 * commit record is written: it must not raise an error, allocate, or look at a catalog.
 * earliest_due counts if timers is set; database means the database as a whole.
 */
typedef void (*WakeNotifier) (uint64 topic_bits, bool timers, TimestampTz earliest_due,
							  bool database);
extern void wake_set_notifier(WakeNotifier notifier);

/*
 * A client's process that waits for messages: begin has the notifier's side set its latch
 * at every commit that published to one of the topics; false if it cannot (no preload, no
 * room). end is called however the waiting ends.
 */
extern void wake_set_waiting(bool (*begin) (uint64 topic_bits), void (*end) (void));
extern bool wake_begin_waiting(uint64 topic_bits);
extern void wake_end_waiting(void);

/* Register the commit callback; once, from message_init(). */
extern void wake_init(void);

#endif							/* ORDER_EXT_WAKE_H */

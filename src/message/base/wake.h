/*
 * wake.h
 *		Waking the workers at commit: the topics that a transaction published to are noted here
 *		and passed to the workers by the commit callback.
 */
#ifndef ORDER_EXT_WAKE_H
#define ORDER_EXT_WAKE_H

#include "postgres.h"

#include "utils/timestamp.h"

/* The bit of a topic in a wake-up mask; topics may share a bit. */
#define WAKE_TOPIC_BIT(topic_id) (UINT64CONST(1) << ((topic_id) % 64))
#define WAKE_ALL_TOPICS (~UINT64CONST(0))

/* This transaction published to the topic: wake its readers at commit. */
extern void wake_note_topic(int32 topic_id);

/* This transaction armed a timer due at due: wake the scheduler at commit. */
extern void wake_note_timer(TimestampTz due);

/*
 * This transaction changed the consumer groups, or whether this database dispatches at all: make
 * its workers check everything again at commit.
 */
extern void wake_note_groups(void);
extern void wake_note_database(void);

/*
 * The function called at commit; set by the workers' part of the library. It runs after the
 * commit record has been written: it must not raise an error, allocate memory, or access a
 * catalog. earliest_due is valid if timers is set; database means the database as a whole.
 */
typedef void (*WakeNotifier) (uint64 topic_bits, bool timers, TimestampTz earliest_due,
							  bool database);
extern void wake_set_notifier(WakeNotifier notifier);

/*
 * For a client's process that waits for messages: begin makes every commit that published to one
 * of the topics set its latch; false if that is impossible (no preload, no free slot). end is
 * called however the wait ends.
 */
extern void wake_set_waiting(bool (*begin) (uint64 topic_bits), void (*end) (void));
extern bool wake_begin_waiting(uint64 topic_bits);
extern void wake_end_waiting(void);

/* Register the commit callback; once, from message_init(). */
extern void wake_init(void);

#endif							/* ORDER_EXT_WAKE_H */

/*
 * arm.c
 *		Arming timers; see arm.h.
 */
#include "compat.h"

#include "access/transam.h"
#include "access/xact.h"
#include "utils/xid8.h"

#include "core/append.h"
#include "message/base/wake.h"
#include "message/log/append.h"
#include "message/timer/arm.h"
#include "message/timer/buckets.h"

int64
timer_arm(int32 topic_id, int64 key, TimestampTz due_at, int16 bound, Jsonb *payload)
{
	int64		message_id = log_next_message_id();

	timer_arm_with_id(message_id, topic_id, key, due_at, bound, payload);
	return message_id;
}

void
timer_arm_with_id(int64 message_id, int32 topic_id, int64 key, TimestampTz due_at, int16 bound,
				  Jsonb *payload)
{
	TimestampTz now = GetCurrentTimestamp();
	int64		period = timer_period(Max(due_at, now));
	bool		in_ring = period - timer_period(now) <= TIMER_RING_AHEAD;
	DueTimer	timer = {.due_at = due_at, .bound = bound};
	Appender   *appender;

	timer.entry.message_id = message_id;
	timer.entry.topic_id = topic_id;
	timer.entry.key = key;
	timer.entry.payload = payload;
	timer.entry.published_at = now;
	appender = append_open(in_ring ? timer_bucket_table(timer_bucket(period)) : "timers_far");
	timer_append(appender, &timer, U64FromFullTransactionId(GetTopFullTransactionId()));
	append_close(appender);
	wake_note_timer(due_at);
}

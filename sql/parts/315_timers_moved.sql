-- timers_moved: timers that reschedule_message() has given another time; they wait here until
-- they are due. What the ring still has of one is noted in timer_cancels. src/message/timer/moved.c
CREATE TABLE order_ext_internal.timers_moved (
	message_id bigint PRIMARY KEY,
	key bigint NOT NULL,
	due_at timestamptz NOT NULL,
	published_at timestamptz NOT NULL,
	topic_id integer NOT NULL,
	payload jsonb NOT NULL
);
CREATE INDEX timers_moved_due_at ON order_ext_internal.timers_moved (due_at);

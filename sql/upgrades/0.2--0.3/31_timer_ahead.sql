-- timer_ahead: timers of a bucket that have fired (or were void) though its timer_progress is
-- not there yet; append-only. A bucket's rows go when it is; due_until: the latest of them.
CREATE TABLE order_ext_internal.timer_ahead (
	seq bigint NOT NULL,
	bucket smallint NOT NULL,
	due_until timestamptz NOT NULL,
	message_ids bigint[] NOT NULL,
	PRIMARY KEY (bucket, seq)
);

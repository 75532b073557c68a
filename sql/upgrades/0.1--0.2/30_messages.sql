-- Groups have roles, parts and an order.
ALTER TABLE order_ext_internal.consumer_groups
	ADD COLUMN ordered boolean NOT NULL DEFAULT false,
	ADD COLUMN subscriber text,
	ADD COLUMN parts smallint NOT NULL DEFAULT 1,
	ADD COLUMN barrier pg_snapshot;
ALTER TABLE order_ext_internal.group_progress
	ADD COLUMN parts smallint NOT NULL DEFAULT 1;
CREATE INDEX retries_key ON order_ext_internal.retries (group_id, key);
CREATE INDEX dead_messages_key ON order_ext_internal.dead_messages (group_id, key);

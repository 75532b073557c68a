-- A gateway is a consumer group.
ALTER TABLE order_ext_internal.consumer_groups
	ADD COLUMN adapted boolean NOT NULL DEFAULT false;

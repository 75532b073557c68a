-- A time limit of a group's own.
ALTER TABLE order_ext_internal.consumer_groups ADD COLUMN handler_timeout integer;

-- The role of the caller takes the room of its name, not 64 bytes, and an index entry 16 bytes, not
-- 24. The table is rewritten once.
ALTER TABLE order_ext_internal.transition_log
	DROP CONSTRAINT transition_log_pkey,
	ALTER COLUMN operator TYPE text COLLATE "C",
	ADD PRIMARY KEY (entity_id, machine, version);

-- The role of the caller takes the room of its name, not 64 bytes. The table is rewritten.
ALTER TABLE order_ext_internal.transition_log ALTER COLUMN operator TYPE text COLLATE "C";

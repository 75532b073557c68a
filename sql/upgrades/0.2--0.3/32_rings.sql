-- Moves of rings name their transactions; those of before count as this one's.
ALTER TABLE order_ext_internal.ring_moves
	ADD COLUMN xid xid8 NOT NULL DEFAULT pg_catalog.pg_current_xact_id();
ALTER TABLE order_ext_internal.ring_moves ALTER COLUMN xid DROP DEFAULT;

-- A stamp also says on which node: see src/core/node.h. The workers bind it to theirs.
ALTER TABLE order_ext_internal.database_stamp ADD COLUMN node bigint NOT NULL DEFAULT 0;

-- dispatch_absence(): why dispatch is not enabled in this database, a sentence; NULL where it
-- is. Raises nothing. src/message/upkeep/enable.c
CREATE FUNCTION order_ext_internal.dispatch_absence()
	RETURNS text
	LANGUAGE C STABLE
	AS 'MODULE_PATHNAME', 'order_ext_dispatch_absence';
COMMENT ON FUNCTION order_ext_internal.dispatch_absence() IS 'Why dispatch is not enabled in this database.';

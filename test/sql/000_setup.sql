-- Runs first.  The workers stay out of this database, so that they do not race
-- with dispatch(); a server without preload behaves the same.
DO $$
BEGIN
	EXECUTE pg_catalog.format('ALTER DATABASE %I SET order_ext.enabled = off',
							  pg_catalog.current_database());
END
$$;
CREATE EXTENSION order_ext;

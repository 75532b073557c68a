-- Who owns the handlers, and the risk check; for those that are gone it is not known.
ALTER TABLE order_ext_internal.consumer_groups ADD COLUMN handler_owner text;
ALTER TABLE order_ext_internal.consumer_groups DISABLE TRIGGER guard_rows;
UPDATE order_ext_internal.consumer_groups g SET handler_owner = pg_catalog.pg_get_userbyid(p.proowner)
FROM pg_catalog.pg_proc p
WHERE p.oid OPERATOR(pg_catalog.=) pg_catalog.to_regprocedure(g.handler)::pg_catalog.oid;
ALTER TABLE order_ext_internal.consumer_groups ENABLE TRIGGER guard_rows;

ALTER TABLE order_ext_internal.instance ADD COLUMN risk_owner text;
ALTER TABLE order_ext_internal.instance DISABLE TRIGGER guard_rows;
UPDATE order_ext_internal.instance i SET risk_owner = pg_catalog.pg_get_userbyid(p.proowner)
FROM pg_catalog.pg_proc p
WHERE p.oid OPERATOR(pg_catalog.=) pg_catalog.to_regprocedure(i.risk_handler)::pg_catalog.oid;
ALTER TABLE order_ext_internal.instance ENABLE TRIGGER guard_rows;

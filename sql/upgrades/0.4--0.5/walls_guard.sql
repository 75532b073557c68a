-- INSERT is guarded, too, and the guards are enabled always: 810_guard_tables makes them so.
COMMENT ON FUNCTION order_ext_internal.guard() IS 'Refuses changes of rows that come neither from the engine nor from a superuser''s restore.';

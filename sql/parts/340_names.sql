-- Helpers of the views.

-- status_name(machine, status): the name of a status, NULL for none. src/machine/base/graph.c
CREATE FUNCTION order_ext_internal.status_name(machine text, status smallint)
	RETURNS text
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'order_ext_status_name';
COMMENT ON FUNCTION order_ext_internal.status_name(text, smallint) IS
	'The name of a status of a machine.';

-- event_name(machine, event): the name of an event, NULL for none. src/machine/base/graph.c
CREATE FUNCTION order_ext_internal.event_name(machine smallint, event smallint)
	RETURNS text
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'order_ext_event_name';
COMMENT ON FUNCTION order_ext_internal.event_name(smallint, smallint) IS 'The name of an event.';

-- codes(): all codes of the C code. set is machine, a machine's name with _status, another kind
-- of code, topic, or handler: the topics that have one in the library. test/sql/160_codes.sql
-- compares it with what rows, constraints and views say. src/machine/base/graph.c
CREATE FUNCTION order_ext_internal.codes()
	RETURNS TABLE (set text, code integer, name text)
	LANGUAGE C STABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'order_ext_codes';
COMMENT ON FUNCTION order_ext_internal.codes()
	IS 'The codes and built-in topics of the library by name.';

\echo Use "CREATE EXTENSION order_ext" to load this file. \quit

-- Plain CREATE everywhere: an object planted beforehand makes the installation
-- fail instead of being adopted (CVE-2022-2625).

-- The owner of all tables and API functions. It is cluster-wide and outlives DROP EXTENSION, so
-- an existing one is reused, but only if no other role can become it.
DO $$
BEGIN
	IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'order_ext_owner') THEN
		CREATE ROLE order_ext_owner NOLOGIN NOINHERIT;
	ELSIF EXISTS (SELECT FROM pg_catalog.pg_roles
				  WHERE rolname = 'order_ext_owner'
					AND (rolcanlogin OR rolsuper OR rolcreaterole OR rolcreatedb
						 OR rolreplication OR rolbypassrls)) THEN
		RAISE EXCEPTION 'role "order_ext_owner" has attributes that the owner of order_ext'
			' must not have'
			USING ERRCODE = '42501',
				  HINT = 'Make it NOLOGIN NOSUPERUSER NOCREATEROLE NOCREATEDB NOREPLICATION'
					' NOBYPASSRLS, or drop it.';
	ELSIF EXISTS (SELECT FROM pg_catalog.pg_auth_members m
				  JOIN pg_catalog.pg_roles r ON r.oid OPERATOR(pg_catalog.=) m.roleid
				  WHERE r.rolname = 'order_ext_owner') THEN
		RAISE EXCEPTION 'role "order_ext_owner" has members, which could alter order_ext'
			USING ERRCODE = '42501', HINT = 'Revoke the memberships.';
	ELSIF EXISTS (SELECT FROM pg_catalog.pg_auth_members m
				  JOIN pg_catalog.pg_roles r ON r.oid OPERATOR(pg_catalog.=) m.member
				  WHERE r.rolname = 'order_ext_owner') THEN
		RAISE EXCEPTION 'role "order_ext_owner" is a member of a role whose rights it must not have'
			USING ERRCODE = '42501', HINT = 'Revoke the memberships.';
	END IF;
END
$$;

CREATE SCHEMA order_ext;
CREATE SCHEMA order_ext_internal;
COMMENT ON SCHEMA order_ext IS 'The calls, types and views of order_ext.';
COMMENT ON SCHEMA order_ext_internal IS
	'Tables and helpers of order_ext; nobody but the engine writes here.';

\echo Use "ALTER EXTENSION order_ext UPDATE" to load this file. \quit

-- From 0.1 to 0.2. Files that are links are the parts of a fresh installation that 0.1 did
-- not have; the others change what it had.

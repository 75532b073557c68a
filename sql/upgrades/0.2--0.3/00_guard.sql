\echo Use "ALTER EXTENSION order_ext UPDATE" to load this file. \quit

-- From 0.2 to 0.3. Files that are links are the parts of a fresh installation that 0.2 did
-- not have, or (*_replace.sql) parts whose functions and views changed; the others change
-- what it had.

-- How much is waiting, counted up to a number and estimated beyond it: for monitoring systems,
-- which ask most often when there is much.

-- group_load(group_id, most): what a group has not finished. A number up to `most` is exact; a
-- higher one is an estimate from a few pages of an index, in which rows of transactions that were
-- rolled back count, too. lag_exact: whether waiting + leased is exact. oldest: when the oldest of
-- the rows counted was published, dead letters excepted (NULL: none); beyond `most` those in
-- front. retry_at: when the first retry is due. All NULL if there is no such group. Sees what was
-- committed when the query called it first, for all groups, not what the query's snapshot sees.
-- src/message/upkeep/load.c
CREATE FUNCTION order_ext_internal.group_load(group_id integer, most integer,
		OUT waiting bigint, OUT leased bigint, OUT lag_exact boolean, OUT retrying bigint,
		OUT parked bigint, OUT dead bigint, OUT oldest timestamptz, OUT consumed bigint,
		OUT retry_at timestamptz)
	RETURNS record
	LANGUAGE C VOLATILE STRICT AS 'MODULE_PATHNAME', 'order_ext_group_load';
COMMENT ON FUNCTION order_ext_internal.group_load(integer, integer) IS
	'What a group has not finished: counted up to a number, beyond that estimated.';

-- table_bytes(relation): the size of a table with its indexes and what is out of line. Free space
-- and visibility maps are not counted: looking for their files takes longer than all else. Source:
-- src/message/upkeep/load.c
CREATE FUNCTION order_ext_internal.table_bytes(relation regclass) RETURNS bigint
	LANGUAGE C VOLATILE STRICT AS 'MODULE_PATHNAME', 'order_ext_table_bytes';
COMMENT ON FUNCTION order_ext_internal.table_bytes(regclass) IS
	'The size of a table, without its maps.';

-- index_count(index, most): how many rows a B-tree leads to, in the same way. For a partial index
-- that is the number of rows of its condition. Source: src/message/upkeep/load.c
CREATE FUNCTION order_ext_internal.index_count(index regclass, most integer) RETURNS bigint
	LANGUAGE C VOLATILE STRICT AS 'MODULE_PATHNAME', 'order_ext_index_count';
COMMENT ON FUNCTION order_ext_internal.index_count(regclass, integer) IS
	'How many rows an index leads to: counted up to a number, beyond that estimated.';

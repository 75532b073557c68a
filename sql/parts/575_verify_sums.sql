-- Sums by which verify() compares tables without joining them. src/api/verify/hash_sum.c

-- hash_sum(key, second_key, amount): the sum of the amounts, each times a hash of its keys, modulo
-- 2^64; hash_sum(sum): the sum of such sums. NULLs are left out.
CREATE FUNCTION order_ext_internal.hash_sum_add(sum bigint, key bigint, second_key bigint,
		amount bigint) RETURNS bigint
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'order_ext_hash_sum_add';
COMMENT ON FUNCTION order_ext_internal.hash_sum_add(bigint, bigint, bigint, bigint) IS
	'Adds an amount to a sum of hash_sum().';

CREATE FUNCTION order_ext_internal.hash_sum_add(sum bigint, key bigint, second_key xid8,
		amount bigint) RETURNS bigint
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'order_ext_hash_sum_add';
COMMENT ON FUNCTION order_ext_internal.hash_sum_add(bigint, bigint, xid8, bigint) IS
	'Adds an amount to a sum of hash_sum().';

CREATE FUNCTION order_ext_internal.hash_sum_merge(sum bigint, other bigint) RETURNS bigint
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'order_ext_hash_sum_merge';
COMMENT ON FUNCTION order_ext_internal.hash_sum_merge(bigint, bigint) IS
	'Adds up two sums of hash_sum() or chain_sum().';

CREATE AGGREGATE order_ext_internal.hash_sum(key bigint, second_key bigint, amount bigint) (
	SFUNC = order_ext_internal.hash_sum_add,
	STYPE = bigint,
	INITCOND = '0',
	COMBINEFUNC = order_ext_internal.hash_sum_merge,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE order_ext_internal.hash_sum(bigint, bigint, bigint) IS
	'The sum of amounts, each times a hash of its keys, modulo 2^64.';

CREATE AGGREGATE order_ext_internal.hash_sum(key bigint, second_key xid8, amount bigint) (
	SFUNC = order_ext_internal.hash_sum_add,
	STYPE = bigint,
	INITCOND = '0',
	COMBINEFUNC = order_ext_internal.hash_sum_merge,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE order_ext_internal.hash_sum(bigint, xid8, bigint) IS
	'The sum of amounts, each times a hash of its keys, modulo 2^64.';

CREATE AGGREGATE order_ext_internal.hash_sum(sum bigint) (
	SFUNC = order_ext_internal.hash_sum_merge,
	STYPE = bigint,
	INITCOND = '0',
	COMBINEFUNC = order_ext_internal.hash_sum_merge,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE order_ext_internal.hash_sum(bigint) IS
	'The sum of sums of hash_sum() or chain_sum().';

-- chain_sum(entity, machine, version, status, next_version, next_status): the sum of links. Ends of
-- links that meet cancel each other out.
CREATE FUNCTION order_ext_internal.chain_sum_add(sum bigint, entity bigint, machine smallint,
		version integer, status smallint, next_version integer, next_status smallint)
	RETURNS bigint
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'order_ext_chain_sum_add';
COMMENT ON FUNCTION order_ext_internal.chain_sum_add(bigint, bigint, smallint, integer, smallint,
	integer, smallint) IS 'Adds a link to a sum of chain_sum().';

CREATE AGGREGATE order_ext_internal.chain_sum(entity bigint, machine smallint, version integer,
		status smallint, next_version integer, next_status smallint) (
	SFUNC = order_ext_internal.chain_sum_add,
	STYPE = bigint,
	INITCOND = '0',
	COMBINEFUNC = order_ext_internal.hash_sum_merge,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE order_ext_internal.chain_sum(bigint, smallint, integer, smallint, integer,
	smallint) IS 'The sum of links of chains; where two meet, their ends cancel each other out.';

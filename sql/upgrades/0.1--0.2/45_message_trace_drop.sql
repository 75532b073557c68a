-- It needs to know the shard now.
DROP FUNCTION order_ext_internal.finished_at(integer, xid8, bigint);

-- What operators see of ordered groups.

-- parked_keys: keys of ordered groups with messages that wait for an earlier one, which is
-- being retried or is a dead letter.
CREATE VIEW order_ext.parked_keys AS
	SELECT g.name AS consumer_group, p.key, count(*) AS waiting, min(p.parked_at) AS since
	FROM order_ext_internal.parked_messages p
	JOIN order_ext_internal.consumer_groups g USING (group_id)
	GROUP BY g.name, p.key;
COMMENT ON VIEW order_ext.parked_keys IS 'Keys of ordered groups that wait for a failed message.';

-- What operators see of ordered groups.

CREATE VIEW order_ext.parked_keys AS
	SELECT g.name AS consumer_group, p.key, count(*) AS waiting, min(p.parked_at) AS since
	FROM order_ext_internal.parked_messages p
	JOIN order_ext_internal.consumer_groups g USING (group_id)
	GROUP BY g.name, p.key;

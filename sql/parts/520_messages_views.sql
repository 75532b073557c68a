-- What operators see of topics and groups.

CREATE VIEW order_ext.topics_view AS
	SELECT t.name AS topic, t.builtin,
		(SELECT count(*) FROM order_ext_internal.consumer_groups g
		 WHERE g.topic_id = t.topic_id) AS consumer_groups,
		t.max_depth,
		CASE WHEN NOT t.builtin THEN t.dedup_window * interval '1 second' END AS dedup_window,
		CASE WHEN t.builtin THEN 'order_ext_owner'
			ELSE (SELECT r.rolname::text FROM order_ext_internal.topic_grants g
				  JOIN pg_catalog.pg_roles r ON r.oid = g.role_oid
				  WHERE g.topic_id = t.topic_id AND g.privilege = 'owner') END AS owner,
		(SELECT coalesce(pg_catalog.jsonb_object_agg(have.rolname, have.privileges), '{}')
		 FROM (SELECT r.rolname,
				pg_catalog.jsonb_agg(DISTINCT g.privilege ORDER BY g.privilege) AS privileges
			   FROM order_ext_internal.topic_grants g
			   JOIN pg_catalog.pg_roles r ON r.oid = g.role_oid
			   WHERE g.topic_id = t.topic_id AND g.privilege <> 'owner'
			   GROUP BY r.rolname) have) AS grants
	FROM order_ext_internal.topics t;

CREATE VIEW order_ext.subscriptions_view AS
	SELECT g.name AS consumer_group, t.name AS topic, g.handler, g.run_as, g.batch,
		g.max_attempts,
		CASE g.backoff WHEN 1 THEN 'exponential' ELSE 'rocketmq' END AS backoff,
		g.builtin, g.created_at, g.ordered, g.paused, g.subscriber,
		g.handler_timeout * interval '1 millisecond' AS handler_timeout
	FROM order_ext_internal.consumer_groups g
	JOIN order_ext_internal.topics t USING (topic_id);

CREATE VIEW order_ext.dead_letters AS
	SELECT d.message_id, g.name AS consumer_group, t.name AS topic, d.key, d.payload,
		d.attempts, d.last_error, d.last_sqlstate, d.died_at
	FROM order_ext_internal.dead_messages d
	JOIN order_ext_internal.consumer_groups g USING (group_id)
	LEFT JOIN order_ext_internal.topics t ON t.topic_id = d.topic_id;

-- See group_load(): each number is exact to 10,000.
CREATE VIEW order_ext.consumer_stats AS
	SELECT g.name AS consumer_group, t.name AS topic,
		l.waiting + l.leased AS lag,
		l.retrying, l.dead,
		greatest(pg_catalog.clock_timestamp() - l.oldest, '0'::interval) AS oldest_age,
		l.consumed, l.parked, l.lag_exact
	FROM order_ext_internal.consumer_groups g
	JOIN order_ext_internal.topics t USING (topic_id)
	CROSS JOIN LATERAL order_ext_internal.group_load(g.group_id, 10000) l;

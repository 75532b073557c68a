-- What operators see of failed deliveries.

CREATE VIEW order_ext.attempt_log AS
	SELECT a.message_id, g.name AS consumer_group, t.name AS topic, a.attempt, a.state, a.error,
		a.sqlstate, a.worker, a.started_at, a.finished_at - a.started_at AS duration
	FROM order_ext_internal.attempts a
	JOIN order_ext_internal.consumer_groups g USING (group_id)
	JOIN order_ext_internal.topics t USING (topic_id);

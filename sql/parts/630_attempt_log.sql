-- What operators see of failed deliveries.

-- attempt_log: every attempt that did not simply succeed the first time, within the log's
-- retention. state: done, retry, dead, discarded; worker: the process that ran it; after
-- redrive() a message's attempts start over.
CREATE VIEW order_ext.attempt_log AS
	SELECT a.message_id, g.name AS consumer_group, t.name AS topic, a.attempt, a.state, a.error,
		a.sqlstate, a.worker, a.started_at, a.finished_at - a.started_at AS duration
	FROM order_ext_internal.attempts a
	JOIN order_ext_internal.consumer_groups g USING (group_id)
	JOIN order_ext_internal.topics t USING (topic_id);
COMMENT ON VIEW order_ext.attempt_log IS 'Attempts to deliver a message, with error, process and duration of each.';

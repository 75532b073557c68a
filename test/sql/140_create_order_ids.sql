-- Order ids: bigint, unique, time-prefixed (UTC), ending in the last three digits of the
-- user id, not to be guessed from their neighbors.
SELECT order_ext.put_product('IDS-1', 'A', 100);
SELECT available FROM order_ext.adjust_stock('IDS-1', 100000);
SET timezone = 'Pacific/Kiritimati';
CREATE TABLE t.made AS
	SELECT n, user_id, (order_ext.create_order(user_id, t.items('IDS-1:1'), 100)).id
	FROM (SELECT n, CASE n % 4 WHEN 0 THEN 7140 WHEN 1 THEN 8007140007 WHEN 2 THEN 7 ELSE 9223372036854775807 END AS user_id
		  FROM generate_series(1, 600) AS n) AS u;
RESET timezone;
SELECT count(DISTINCT id) AS distinct_ids, bool_and(length(id::text) = 19) AS nineteen_digits,
	   bool_and(id % 1000 = user_id % 1000) AS shard_suffix FROM t.made;
SELECT bool_and(left(id::text, 6) = to_char(o.created_at AT TIME ZONE 'UTC', 'YYMMDD')) AS day_in_utc
FROM t.made JOIN order_ext.orders_view o ON o.order_id = id;
-- later seconds sort later
SELECT count(*) AS out_of_order FROM (
	SELECT date_trunc('second', o.created_at) AS second, min(id / 1000) AS low, lag(max(id / 1000)) OVER (ORDER BY date_trunc('second', o.created_at)) AS before
	FROM t.made JOIN order_ext.orders_view o ON o.order_id = id GROUP BY 1) AS s WHERE low <= before;
-- the step from one order to the next is hardly ever the same twice, and goes both ways
SELECT max(n) < 10 AS no_usual_step, count(*) FILTER (WHERE step < 0) > 100 AS down, count(*) FILTER (WHERE step > 0) > 100 AS up
FROM (SELECT step, count(*) AS n FROM (SELECT id / 1000 - lag(id / 1000) OVER (ORDER BY n) AS step FROM t.made) AS d
	  WHERE step IS NOT NULL GROUP BY step) AS s;
DROP TABLE t.made;

SELECT * FROM order_ext.verify() WHERE severity = 'error';

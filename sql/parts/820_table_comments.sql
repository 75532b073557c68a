-- What the internal tables and views are for, as shown by \d+. The columns are explained where
-- the tables are created. All segments of a ring share a comment.

DO $$
DECLARE
	said record;
BEGIN
	FOR said IN
		SELECT c.relname, c.relkind, s.what
		FROM pg_catalog.pg_class c
		JOIN (VALUES
			('products', 'What can be ordered.'),
			('product_prices', 'The prices of products, one per currency, in minor units.'),
			('freight_templates', 'The freight of a region, one per currency.'),
			('stock',
				'Pieces available, reserved and consumed, per product: the sum of its ledger.'),
			('stock_ledger', 'Every movement of stock; append-only.'),
			('stock_folds', 'Sums of stock_ledger up to a snapshot; the newest one counts.'),
			('coupons', 'Coupons of users, and the order that holds them.'),
			('orders', 'One row per order: where it is now.'),
			('order_items', 'The lines of the orders.'),
			('transition_log', 'Every transition of every entity of the machines; append-only.'),
			('verify_marks', 'Until when everything has been checked by verify().'),
			('sweep_progress',
				'How far the sweep has come: no unpaid order before it; newest row wins.'),
			('requests', 'Idempotency keys and the results that are replayed.'),
			('payments', 'Payment attempts and captures.'),
			('payment_events',
				'Facts from gateways that contradict what is on record; kept for staff.'),
			('held_facts',
				'Facts that contradict what is on record, and what staff did about them.'),
			('payment_notices',
				'Notices of closed or failed attempts that fit none; kept for staff.'),
			('refunds', 'Money to be paid back, and how far that is.'),
			('refund_events',
				'Facts about refunds that could not be taken as they are; kept for staff.'),
			('pay_types', 'What is special about the surplus of a pay type.'),
			('disputes', 'Payments that banks take back, or want to.'),
			('money_facts',
				'Facts from gateways about money that went back outside; some kept for staff.'),
			('channels', 'Who ships the orders of a channel.'),
			('fulfilments',
				'What becomes of the goods of paid orders; a tombstone for canceled ones.'),
			('fulfilment_documents',
				'Delivery orders of warehouses and logistic orders of carriers.'),
			('shipment_events',
				'Facts reported by warehouses and carriers, including those that match nothing.'),
			('after_sales', 'Applications for refunds and returns.'),
			('after_sale_items', 'What is returned of an order''s lines.'),
			('after_sale_events', 'Facts reported about goods that are sent back.'),
			('gateways', 'Pay types whose refunds the workers execute, and their handlers.'),
			('sandbox_refunds', 'The books of the sandbox gateway.'),
			('sandbox_switch', 'How the sandbox gateway answers the next calls.'),
			('topics', 'Topics; those with ids below 1000 are built in.'),
			('topic_grants', 'Who owns the topics of applications, and who may do what with them.'),
			('consumer_groups', 'Readers of topics: options, handler and role, number of parts.'),
			('message_log', 'The messages; insert-only segments that are truncated by turns.'),
			('group_progress',
				'How far each part of each group has read; append-only, newest row wins.'),
			('inline_ranges',
				'Messages that dispatch() delivered in the transaction that published them.'),
			('retries', 'Failed messages that wait for their next attempt; copies.'),
			('dead_messages',
				'Messages that were given up, until they are redriven or discarded; copies.'),
			('parked_messages',
				'Messages that wait for an earlier one of their key, of ordered groups; copies.'),
			('crash_suspects',
				'Messages whose handler was running when its worker process crashed or had to be'
				' ended.'),
			('attempts',
				'Attempts that did not simply succeed the first time; segments move with the'
				' log''s.'),
			('leases', 'Messages that external consumers hold; copies.'),
			('lease_receipts',
				'When leases end, counted from the commit of their receive() or extend_lease().'),
			('timers_far', 'Timers that are due later than the ring of buckets reaches.'),
			('timers_moved', 'Timers that were given another time.'),
			('timer_bucket', 'Timers by due time, two minutes each; insert-only segments.'),
			('timer_ring', 'All timer buckets.'),
			('timer_progress', 'How far each bucket has fired; append-only, newest row wins.'),
			('timer_ahead',
				'Timers that have fired though the progress of their bucket does not say so yet.'),
			('timer_firings',
				'Running totals of fired timers and their lateness; append-only, newest row wins.'),
			('timer_cancels', 'Timers that must not fire from where they are.'),
			('dedup_taken', 'Messages whose dedup_key was published again: they do not come back.'),
			('dedup',
				'dedup_keys and the messages that claimed them; segments are truncated by turns.'),
			('ring_moves', 'Which segment of a ring is written to; append-only, newest row wins.'),
			('backlog_alerts',
				'Groups that operators were alerted to because they hold back the log.'),
			('assets', 'Kinds of assets that the release of a canceled order is published for.'),
			('database_stamp', 'The database that dispatch is enabled in.'),
			('instance', 'The secret that order ids are permuted with; risk check and price hook.')
		) AS s (name, what) ON s.name = pg_catalog.regexp_replace(c.relname, '_[0-9]+$', '')
		WHERE c.relnamespace = 'order_ext_internal'::pg_catalog.regnamespace
			AND c.relkind IN ('r', 'v')
	LOOP
		EXECUTE pg_catalog.format('COMMENT ON %s order_ext_internal.%I IS %L',
			CASE said.relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END, said.relname, said.what);
	END LOOP;
END
$$;

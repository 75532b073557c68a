-- Pay types are in lower case; surrounding blanks are not part of them, nor of trade numbers and
-- gateway refund numbers. What would collide, or be empty, keeps its spelling, and verify() warns.

ALTER TABLE order_ext_internal.payments DISABLE TRIGGER guard_rows;
ALTER TABLE order_ext_internal.payment_events DISABLE TRIGGER guard_rows;
ALTER TABLE order_ext_internal.payment_notices DISABLE TRIGGER guard_rows;
ALTER TABLE order_ext_internal.refunds DISABLE TRIGGER guard_rows;
ALTER TABLE order_ext_internal.refund_events DISABLE TRIGGER guard_rows;
ALTER TABLE order_ext_internal.gateways DISABLE TRIGGER guard_rows;
ALTER TABLE order_ext_internal.consumer_groups DISABLE TRIGGER guard_rows;

UPDATE order_ext_internal.payments p
SET pay_type = lower(btrim(p.pay_type, E' \t\n\x0B\f\r')), out_trade_no = btrim(p.out_trade_no, E' \t\n\x0B\f\r')
WHERE (p.pay_type <> lower(btrim(p.pay_type, E' \t\n\x0B\f\r')) OR p.out_trade_no <> btrim(p.out_trade_no, E' \t\n\x0B\f\r'))
	AND btrim(p.pay_type, E' \t\n\x0B\f\r') <> '' AND btrim(p.out_trade_no, E' \t\n\x0B\f\r') <> ''
	AND NOT EXISTS (SELECT FROM order_ext_internal.payments other
		WHERE other.payment_id <> p.payment_id
			AND btrim(other.out_trade_no, E' \t\n\x0B\f\r') = btrim(p.out_trade_no, E' \t\n\x0B\f\r')
			AND lower(btrim(other.pay_type, E' \t\n\x0B\f\r')) = lower(btrim(p.pay_type, E' \t\n\x0B\f\r')));

-- Facts kept for staff are told again under the new spelling, if at all.
UPDATE order_ext_internal.payment_events e
SET pay_type = lower(btrim(e.pay_type, E' \t\n\x0B\f\r')), out_trade_no = btrim(e.out_trade_no, E' \t\n\x0B\f\r')
WHERE (e.pay_type <> lower(btrim(e.pay_type, E' \t\n\x0B\f\r')) OR e.out_trade_no <> btrim(e.out_trade_no, E' \t\n\x0B\f\r'))
	AND NOT EXISTS (SELECT FROM order_ext_internal.payment_events other
		WHERE other.event_id <> e.event_id
			AND btrim(other.out_trade_no, E' \t\n\x0B\f\r') = btrim(e.out_trade_no, E' \t\n\x0B\f\r')
			AND lower(btrim(other.pay_type, E' \t\n\x0B\f\r')) = lower(btrim(e.pay_type, E' \t\n\x0B\f\r'))
			AND (other.order_id, other.amount, other.currency) = (e.order_id, e.amount, e.currency));
UPDATE order_ext_internal.payment_notices n
SET pay_type = lower(btrim(n.pay_type, E' \t\n\x0B\f\r')), out_trade_no = btrim(n.out_trade_no, E' \t\n\x0B\f\r')
WHERE (n.pay_type <> lower(btrim(n.pay_type, E' \t\n\x0B\f\r')) OR n.out_trade_no <> btrim(n.out_trade_no, E' \t\n\x0B\f\r'))
	AND NOT EXISTS (SELECT FROM order_ext_internal.payment_notices other
		WHERE other.notice_id <> n.notice_id
			AND btrim(other.out_trade_no, E' \t\n\x0B\f\r') = btrim(n.out_trade_no, E' \t\n\x0B\f\r')
			AND lower(btrim(other.pay_type, E' \t\n\x0B\f\r')) = lower(btrim(n.pay_type, E' \t\n\x0B\f\r'))
			AND (other.order_id, other.outcome) = (n.order_id, n.outcome));
UPDATE order_ext_internal.refunds SET gateway_refund_no = nullif(btrim(gateway_refund_no, E' \t\n\x0B\f\r'), '')
WHERE gateway_refund_no <> btrim(gateway_refund_no, E' \t\n\x0B\f\r');
UPDATE order_ext_internal.refund_events e SET gateway_refund_no = btrim(e.gateway_refund_no, E' \t\n\x0B\f\r')
WHERE e.gateway_refund_no <> btrim(e.gateway_refund_no, E' \t\n\x0B\f\r')
	AND NOT EXISTS (SELECT FROM order_ext_internal.refund_events other
		WHERE other.event_id <> e.event_id AND other.refund_id = e.refund_id
			AND btrim(other.gateway_refund_no, E' \t\n\x0B\f\r') = btrim(e.gateway_refund_no, E' \t\n\x0B\f\r')
			AND (other.outcome, other.reason, coalesce(other.amount, -1)) = (e.outcome, e.reason, coalesce(e.amount, -1)));

-- A gateway is also a consumer group that is named after it.
WITH renamed AS (
	UPDATE order_ext_internal.gateways g
	SET pay_type = lower(btrim(g.pay_type, E' \t\n\x0B\f\r'))
	WHERE g.pay_type <> lower(btrim(g.pay_type, E' \t\n\x0B\f\r')) AND btrim(g.pay_type, E' \t\n\x0B\f\r') <> ''
		AND NOT EXISTS (SELECT FROM order_ext_internal.gateways other
			WHERE other.pay_type <> g.pay_type
				AND lower(btrim(other.pay_type, E' \t\n\x0B\f\r')) = lower(btrim(g.pay_type, E' \t\n\x0B\f\r')))
		AND NOT EXISTS (SELECT FROM order_ext_internal.consumer_groups c
			WHERE c.name = 'refund.execute:' || lower(btrim(g.pay_type, E' \t\n\x0B\f\r')))
	RETURNING g.pay_type)
UPDATE order_ext_internal.consumer_groups c
SET name = 'refund.execute:' || r.pay_type
FROM renamed r
WHERE c.adapted AND lower(btrim(substring(c.name FROM '^refund\.execute:(.*)'), E' \t\n\x0B\f\r')) = r.pay_type;

ALTER TABLE order_ext_internal.payments ENABLE ALWAYS TRIGGER guard_rows;
ALTER TABLE order_ext_internal.payment_events ENABLE ALWAYS TRIGGER guard_rows;
ALTER TABLE order_ext_internal.payment_notices ENABLE ALWAYS TRIGGER guard_rows;
ALTER TABLE order_ext_internal.refunds ENABLE ALWAYS TRIGGER guard_rows;
ALTER TABLE order_ext_internal.refund_events ENABLE ALWAYS TRIGGER guard_rows;
ALTER TABLE order_ext_internal.gateways ENABLE ALWAYS TRIGGER guard_rows;
ALTER TABLE order_ext_internal.consumer_groups ENABLE ALWAYS TRIGGER guard_rows;

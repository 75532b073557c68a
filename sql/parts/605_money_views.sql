-- Views of pay types and disputes. Amounts are in minor units.

CREATE VIEW order_ext.pay_types_view AS
	SELECT t.pay_type, CASE WHEN t.hold_surplus THEN 'hold' ELSE 'refund' END AS surplus,
		t.surplus_delay * interval '1 microsecond' AS surplus_delay
	FROM order_ext_internal.pay_types t;

CREATE VIEW order_ext.disputes_view AS
	SELECT d.pay_type, d.dispute_no,
		CASE d.status WHEN 10 THEN 'opened' WHEN 20 THEN 'won' WHEN 30 THEN 'lost' END AS status,
		d.order_id, d.payment_id, d.amount, p.currency, d.refund_id, d.opened_at, d.ended_at
	FROM order_ext_internal.disputes d
	JOIN order_ext_internal.payments p ON p.payment_id = d.payment_id;

-- What pay types are like, and facts from outside about money that went back.

-- pay_types: what is special about a pay type. hold_surplus: surplus refunds, and late ones of
-- orders with another capture, wait for retry_refund; surplus_delay: how long surplus and late
-- refunds wait at least, in microseconds.
CREATE TABLE order_ext_internal.pay_types (
	surplus_delay bigint NOT NULL,
	hold_surplus boolean NOT NULL,
	pay_type text PRIMARY KEY
);

-- disputes: payments that banks take back, or want to. status 10 opened, 20 won, 30 lost; amount is
-- what is in dispute, or was lost.
CREATE TABLE order_ext_internal.disputes (
	payment_id bigint NOT NULL,
	order_id bigint NOT NULL,
	amount bigint NOT NULL CHECK (amount > 0),
	opened_at timestamptz,
	ended_at timestamptz,
	refund_id bigint,
	status smallint NOT NULL CHECK (status IN (10, 20, 30)),	-- opened, won, lost
	pay_type text NOT NULL,
	dispute_no text NOT NULL,
	PRIMARY KEY (dispute_no, pay_type)
);
CREATE INDEX disputes_payment_id ON order_ext_internal.disputes (payment_id);
CREATE INDEX disputes_order_id ON order_ext_internal.disputes (order_id);

-- money_facts: what gateways reported about money that went back outside: kind 1 record_refund; 2
-- dispute_opened, 3 dispute_won, 4 dispute_lost. disposition applied, or held for staff, for a
-- reason; number is the gateway's, of the refund or the dispute. Each fact is kept once.
CREATE TABLE order_ext_internal.money_facts (
	fact_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	order_id bigint NOT NULL,
	payment_id bigint,
	refund_id bigint,
	amount bigint,
	recorded_at timestamptz NOT NULL,
	occurred_at timestamptz,
	kind smallint NOT NULL CHECK (kind IN (1, 2, 3, 4)),	-- as above
	disposition text NOT NULL,
	reason text,
	pay_type text NOT NULL,
	out_trade_no text NOT NULL,
	number text NOT NULL,
	raw jsonb
);
CREATE UNIQUE INDEX money_facts_applied ON order_ext_internal.money_facts (number, pay_type, kind)
	WHERE disposition = 'applied';
CREATE UNIQUE INDEX money_facts_held ON order_ext_internal.money_facts
	(number, pay_type, kind, order_id, out_trade_no, reason, coalesce(amount, -1))
	WHERE disposition = 'held';

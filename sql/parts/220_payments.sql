-- Payments and refunds.

-- payments: one row per payment attempt or capture. status 10 initiated, 20 captured, 30 closed,
-- 40 failed. purpose of a capture: 1 applied, 2 late, 3 surplus, 4 held, 5 unmatched, 6 duplicate:
-- purpose_was before, of the money of payment duplicate_of. order_id is as reported by the gateway:
-- it may name no order (unmatched); once staff has assigned the payment to another order, what was
-- reported is told_order_id. currency_told: the gateway named the currency.
CREATE TABLE order_ext_internal.payments (
	payment_id bigint PRIMARY KEY,
	order_id bigint NOT NULL,
	amount bigint NOT NULL CHECK (amount >= 0),
	created_at timestamptz NOT NULL,
	captured_at timestamptz,
	paid_at timestamptz,
	version integer NOT NULL,
	status smallint NOT NULL,
	purpose smallint,
	pay_type text NOT NULL,
	out_trade_no text NOT NULL,
	currency text NOT NULL,
	raw jsonb,
	told_order_id bigint,
	duplicate_of bigint,
	purpose_was smallint,
	currency_told boolean NOT NULL DEFAULT true,
	-- The number first: an index that begins with a pay_type would find half of all payments.
	CONSTRAINT payments_trade UNIQUE (out_trade_no, pay_type)
) WITH (fillfactor = 80);
CREATE INDEX payments_order_id ON order_ext_internal.payments (order_id);
CREATE SEQUENCE order_ext_internal.payment_id_seq CACHE 32;

-- payment_events: facts from the gateway that contradict a recorded capture or attempt and cannot
-- be a separate payment because the trade number is taken. Kept for staff.
CREATE TABLE order_ext_internal.payment_events (
	event_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	payment_id bigint NOT NULL,
	order_id bigint NOT NULL,
	amount bigint NOT NULL,
	paid_at timestamptz,
	recorded_at timestamptz NOT NULL,
	pay_type text NOT NULL,
	out_trade_no text NOT NULL,
	currency text NOT NULL,
	disposition text NOT NULL,
	raw jsonb,
	UNIQUE (pay_type, out_trade_no, order_id, amount, currency)
);

-- refunds: status 10 requested, 15 submitted, 20 succeeded, 30 failed, 40 withdrawn. cause: 1
-- cancel, 2 late, 3 surplus, 4 held, 5 unmatched, 6 after_sale, 7 recorded, 8 dispute (these two
-- are facts from outside, succeeded from the start). One refund per (payment, cause, after-sale,
-- fact_id), the last being the fact that it is about, where one after-sale or payment can have
-- several (money_facts of 7 and 8; of 6 after_sale_events: a receipt of goods), else 0, or a count
-- of those that staff asked for after it, of what the gateway had not paid; a retry reuses its row
-- and id. held: waits for retry_refund; claim_after: not to be claimed before. While
-- submitted it is claimed_by a worker until lease_until, claimed in transaction claim_xid; attempt
-- counts the claims. last_outcome and raw: the gateway's last answer. asked: what was asked for
-- where the gateway paid another amount. kept: withdrawn by staff, who keeps the money, or because
-- a dispute took it; it can be requested again. reason: staff's.
-- pay_type: the payment's. refunds_open costs HOT updates, but refunds are few and claims must not
-- read all of them: it has from when on an open refund can be claimed, NULL while it is held.
-- Only statements that repeat its condition word for word read by it: others would read all open
-- refunds.
CREATE TABLE order_ext_internal.refunds (
	refund_id bigint PRIMARY KEY,
	order_id bigint NOT NULL,
	payment_id bigint NOT NULL,
	after_sale_id bigint NOT NULL DEFAULT 0,
	amount bigint NOT NULL CHECK (amount > 0),
	requested_at timestamptz NOT NULL,
	settled_at timestamptz,
	version integer NOT NULL,
	attempt integer NOT NULL DEFAULT 0,
	status smallint NOT NULL,
	cause smallint NOT NULL,
	held boolean NOT NULL DEFAULT false,
	currency text NOT NULL,
	lease_until timestamptz,
	claim_xid xid8,
	claimed_by text,
	gateway_refund_no text,
	last_outcome text,
	raw jsonb,
	fact_id bigint NOT NULL DEFAULT 0,
	asked bigint,
	claim_after timestamptz,
	kept boolean NOT NULL DEFAULT false,
	reason text,
	pay_type text NOT NULL,
	CONSTRAINT refunds_once UNIQUE (payment_id, cause, after_sale_id, fact_id)
) WITH (fillfactor = 80);
CREATE INDEX refunds_gateway_refund_no ON order_ext_internal.refunds (gateway_refund_no, order_id)
	WHERE gateway_refund_no IS NOT NULL;
CREATE INDEX refunds_order_id ON order_ext_internal.refunds (order_id);
CREATE INDEX refunds_open ON order_ext_internal.refunds
	(pay_type, (CASE WHEN status = 15 THEN greatest(lease_until, claim_after)	-- submitted
		WHEN NOT held THEN greatest(requested_at, claim_after) END))
	WHERE CASE WHEN status IN (10, 15) THEN true ELSE false END;	-- requested, submitted
CREATE SEQUENCE order_ext_internal.refund_id_seq CACHE 32;

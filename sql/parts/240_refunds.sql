-- Refunds on their way to a gateway and back, and other facts that gateways report about money.

-- gateways: pay types whose refunds the workers execute: handler, a function of the
-- application that runs as run_as, or the built-in sandbox. All other pay types wait for
-- claim_refunds().
CREATE TABLE order_ext_internal.gateways (
	set_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	builtin boolean NOT NULL DEFAULT false,
	pay_type text PRIMARY KEY,
	handler text,
	run_as text,
	run_as_oid oid,
	CHECK (builtin = (handler IS NULL))
);

-- refund_events: facts about refunds that could not be applied: about an unknown refund, with
-- another amount or number, or reversing a success. Kept for staff.
CREATE TABLE order_ext_internal.refund_events (
	event_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	refund_id bigint NOT NULL,
	amount bigint,
	recorded_at timestamptz NOT NULL,
	outcome text NOT NULL,
	reason text NOT NULL,
	gateway_refund_no text,
	raw jsonb
);
CREATE UNIQUE INDEX refund_events_fact ON order_ext_internal.refund_events
	(refund_id, outcome, reason, coalesce(gateway_refund_no, ''), coalesce(amount, -1));

CREATE INDEX refund_events_gateway_refund_no ON order_ext_internal.refund_events
	(gateway_refund_no) WHERE gateway_refund_no IS NOT NULL;

-- payment_notices: notices of closed and failed payment attempts that match no open attempt, or
-- contradict recorded facts. Kept for staff.
CREATE TABLE order_ext_internal.payment_notices (
	notice_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	order_id bigint NOT NULL,
	payment_id bigint,
	recorded_at timestamptz NOT NULL,
	pay_type text NOT NULL,
	out_trade_no text NOT NULL,
	outcome text NOT NULL,
	raw jsonb,
	UNIQUE (order_id, pay_type, out_trade_no, outcome)
);

-- sandbox_refunds: the books of the sandbox gateway, which simulates the outside world: one row
-- per refund requested, however often. Money has moved if outcome is succeeded.
CREATE TABLE order_ext_internal.sandbox_refunds (
	refund_id bigint PRIMARY KEY,
	amount bigint NOT NULL,
	at timestamptz NOT NULL,
	calls integer NOT NULL,
	outcome text NOT NULL
);

-- sandbox_switch: how the sandbox answers the next calls; no row: truthfully.
CREATE TABLE order_ext_internal.sandbox_switch (
	only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
	remaining integer NOT NULL,
	outcome text NOT NULL
);

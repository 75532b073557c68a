-- Fulfillment: what the warehouse and the carrier do for an order. Nothing is ever deleted.

-- channels: who ships the orders of options.channel. external: a warehouse that is not ours and
-- must be asked before an order is canceled. In lower case, except those from before 0.6 that would
-- have collided.
CREATE TABLE order_ext_internal.channels (
	channel text PRIMARY KEY,
	external boolean NOT NULL,
	updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX channels_code ON order_ext_internal.channels
	(lower(btrim(channel, E' \t\n\x0B\f\r')));

-- fulfilments: one row per order that is shipped, or that was canceled before it could be (a
-- tombstone: status 70 from the start). status 10 created, 20 picking, 30 labelled, 40 out, 60
-- cancel requested, 70 canceled. external: as in the channel when the row was created.
-- prior_status, cancel_type and refund_hold belong to the requested cancel: the status to which a
-- refusal returns, and the effect of its acceptance on the order.
CREATE TABLE order_ext_internal.fulfilments (
	order_id bigint PRIMARY KEY,
	created_at timestamptz NOT NULL,
	out_at timestamptz,
	cancel_requested_at timestamptz,
	canceled_at timestamptz,
	version integer NOT NULL,
	status smallint NOT NULL,
	prior_status smallint,
	cancel_type smallint,
	refund_hold boolean NOT NULL DEFAULT false,
	external boolean NOT NULL,
	intercept_refused boolean NOT NULL DEFAULT false
) WITH (fillfactor = 80);

-- fulfilment_documents: kind 1 the delivery order of the warehouse, created with the fulfillment;
-- 2 the logistics order of the carrier, created when the parcel is labeled. status 10 open, 40
-- done, 70 canceled: they follow their fulfillment.
CREATE TABLE order_ext_internal.fulfilment_documents (
	order_id bigint NOT NULL,
	document_id bigint NOT NULL UNIQUE,
	created_at timestamptz NOT NULL,
	closed_at timestamptz,
	kind smallint NOT NULL CHECK (kind IN (1, 2)),	-- delivery order, logistic order
	status smallint NOT NULL,
	PRIMARY KEY (order_id, kind)
) WITH (fillfactor = 80);
CREATE SEQUENCE order_ext_internal.document_id_seq CACHE 32;

-- shipment_events: all facts from warehouse and carrier, including those about unknown orders.
-- source 1 shipment_event, 2 fulfilment_cancel_result: each has its own event ids. seq 1 is the
-- fact that came first with its event_id; others contradict it. kind 1 picked, 2 out_stock, 3
-- delivering, 4 signed, 5 refused, 6 lost, 7 returned, 11 cancel accepted, 12 cancel rejected.
-- state 10 applied, 20 parked until its turn, 30 held for staff, 40 behind: the order was already
-- past it, 50 without effect. detail is the result of the first call, which a repeated call
-- returns again.
CREATE TABLE order_ext_internal.shipment_events (
	order_id bigint NOT NULL,
	occurred_at timestamptz NOT NULL,
	recorded_at timestamptz NOT NULL,
	settled_at timestamptz,
	source smallint NOT NULL,
	seq smallint NOT NULL,
	kind smallint NOT NULL,
	state smallint NOT NULL,
	event_id text NOT NULL,
	reason text,
	payload jsonb,
	detail jsonb NOT NULL,
	PRIMARY KEY (order_id, source, event_id, seq)
) WITH (fillfactor = 80);
-- The few parked ones, looked up with every transition of an order.
CREATE INDEX shipment_events_parked ON order_ext_internal.shipment_events (order_id)
	WHERE state = 20;	-- parked

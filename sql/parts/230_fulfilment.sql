-- Fulfilment: what the warehouse and the carrier do for an order. Nothing is ever deleted.

-- channels: who ships the orders of options.channel. external: a warehouse that is not
-- ours and must be asked before a cancel.
CREATE TABLE order_ext_internal.channels (
	channel text PRIMARY KEY,
	external boolean NOT NULL,
	updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- fulfilments: one row per order that is shipped, or that was canceled before it could be
-- (a tombstone: status 70 from the start). status 10 created, 20 picking, 30 labelled,
-- 40 out, 60 cancel requested, 70 canceled. external: as the channel was when it was made.
-- prior_status, cancel_type and refund_hold are those of the cancel that was asked for:
-- where a refusal leads back to, and what an acceptance does to the order.
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

-- fulfilment_documents: kind 1 the delivery order of the warehouse, made with the fulfilment;
-- 2 the logistic order of the carrier, made when the parcel is labelled.
-- status 10 open, 40 done, 70 canceled: they follow their fulfilment.
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

-- shipment_events: facts from warehouse and carrier, all of them, of unknown orders too.
-- source 1 shipment_event, 2 fulfilment_cancel_result: each has event ids of its own.
-- seq 1 is the fact that came first with its event_id; others contradict it.
-- kind 1 picked, 2 out_stock, 3 delivering, 4 signed, 5 refused, 11 cancel accepted,
-- 12 cancel rejected. state 10 applied, 20 parked until its turn, 30 held for staff,
-- 40 behind: the order was past it already, 50 without effect.
-- detail is what the first call answered, and again answers when it is repeated.
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
-- The few that are parked: looked up with every move of an order.
CREATE INDEX shipment_events_parked ON order_ext_internal.shipment_events (order_id)
	WHERE state = 20;	-- parked

-- After-sales: why and how much of an order is returned or refunded.

-- after_sales: one row per application, made by a buyer, staff or the system. status 10 applied,
-- 20 approved, 30 rejected, 40 refunding, 50 refunded, 60 failed, 70 closed, 100 reopened, 127
-- revoked. amount is what is paid back: for its lines, the freight, and extra (for neither);
-- paid_outside of it was refunded outside of its refunds. type 1 refund_only, 2 return_refund, 3
-- goodwill.
-- detail_type: 1 all, 2 timeout, 3 user cancel, 4 customer service cancel, 5 part, 6 shortage.
-- source: 10 user refund, 20 system, 30 customer service, 40 user return, 50 fulfilment.
-- reason_code: 10 to 200 of the source (80 canceled, 90 forced, 100 refused, 200 other).
-- return_status (type 2 only): 0 awaiting, 10 to_send, 20 in_transit, 30 received, 35
-- partly_received, 40 inspected, 50 damaged; return_version counts its transitions. origin is the
-- cause of one created by the system ('cancel', 'refused', 'lost', 'shortage:<n>') or by staff
-- ('goodwill:<n>') and makes it unique per order; NULL for applications by persons.
CREATE TABLE order_ext_internal.after_sales (
	after_sale_id bigint PRIMARY KEY,
	order_id bigint NOT NULL,
	user_id bigint NOT NULL,
	amount bigint NOT NULL CHECK (amount >= 0),
	freight bigint NOT NULL DEFAULT 0 CHECK (freight BETWEEN 0 AND amount),
	applied_at timestamptz NOT NULL,
	reviewed_at timestamptz,
	settled_at timestamptz,
	return_by timestamptz,
	goods_sent_at timestamptz,
	goods_received_at timestamptz,
	version integer NOT NULL,
	return_version integer NOT NULL DEFAULT 0,
	status smallint NOT NULL,
	type smallint NOT NULL CHECK (type IN (1, 2, 3)),	-- refund_only, return_refund, goodwill
	detail_type smallint NOT NULL,
	source smallint NOT NULL,
	reason_code smallint NOT NULL,
	return_status smallint,
	origin text,
	reason text,
	review_reason text,
	carrier text,
	tracking_no text,
	extra bigint NOT NULL DEFAULT 0,
	paid_outside bigint NOT NULL DEFAULT 0,
	UNIQUE (order_id, origin),
	CONSTRAINT after_sales_parts CHECK (extra >= 0 AND freight + extra <= amount
		AND paid_outside BETWEEN 0 AND amount)
) WITH (fillfactor = 80);
CREATE INDEX after_sales_user_id ON order_ext_internal.after_sales (user_id);
CREATE SEQUENCE order_ext_internal.after_sale_id_seq CACHE 32;

-- after_sale_items: what is returned of an order's lines. amount is paid back for them, discount
-- is their share of the line's coupon discount. received, damaged and restocked count pieces of a
-- return; restocked ones are available again. refunded: pieces whose refund was requested, paid of
-- the amount. refused came damaged and missing never came: they no longer belong to quantity.
-- before: pieces of the order's line in other after-sales when this one was priced.
CREATE TABLE order_ext_internal.after_sale_items (
	after_sale_id bigint NOT NULL,
	product_id bigint NOT NULL,
	order_id bigint NOT NULL,
	amount bigint NOT NULL CHECK (amount >= 0),
	discount bigint NOT NULL DEFAULT 0 CHECK (discount >= 0),
	quantity integer NOT NULL CHECK (quantity >= 0),
	received integer NOT NULL DEFAULT 0,
	damaged integer NOT NULL DEFAULT 0,
	restocked integer NOT NULL DEFAULT 0,
	line integer NOT NULL,
	before integer NOT NULL DEFAULT 0,
	refunded integer NOT NULL DEFAULT 0,
	refused integer NOT NULL DEFAULT 0,
	missing integer NOT NULL DEFAULT 0,
	paid bigint NOT NULL DEFAULT 0,
	PRIMARY KEY (after_sale_id, line),
	CONSTRAINT after_sale_items_pieces CHECK (refused >= 0 AND missing >= 0
		AND quantity + refused + missing > 0
		AND received BETWEEN refused AND quantity + refused AND damaged BETWEEN refused AND received
		AND restocked BETWEEN 0 AND received - refused AND refunded BETWEEN 0 AND received - refused
		AND paid BETWEEN 0 AND amount AND before >= 0)
) WITH (fillfactor = 80);
CREATE INDEX after_sale_items_order_id ON order_ext_internal.after_sale_items (order_id);

-- after_sale_events: facts reported about goods that are sent back: kind 1 return_shipment, 2
-- return_receipt; also those about unknown after-sales; and 3 resolve_damaged, staff's decision
-- about damaged ones. disposition applied, or held for staff; reason says why it is held. content
-- is what was reported; each fact is kept once, but several receipts may be equal. event_id: the
-- fact_id of the refund that it led to; negative, the ref of what it moved in the stock ledger.
CREATE TABLE order_ext_internal.after_sale_events (
	event_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	after_sale_id bigint NOT NULL,
	recorded_at timestamptz NOT NULL,
	-- return_shipment, return_receipt, resolve_damaged
	kind smallint NOT NULL CHECK (kind IN (1, 2, 3)),
	disposition text NOT NULL,
	reason text,
	content jsonb NOT NULL,
	detail jsonb NOT NULL
);
CREATE UNIQUE INDEX after_sale_events_fact ON order_ext_internal.after_sale_events
	(after_sale_id, kind, disposition, coalesce(reason, ''), md5(content::text))
	WHERE kind = 1 OR disposition = 'held';	-- return_shipment
CREATE INDEX after_sale_events_after_sale_id ON order_ext_internal.after_sale_events
	(after_sale_id);

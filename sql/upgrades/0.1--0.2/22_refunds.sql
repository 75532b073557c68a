-- How far a refund is with its gateway.
ALTER TABLE order_ext_internal.refunds
	ADD COLUMN lease_until timestamptz,
	ADD COLUMN claim_xid xid8,
	ADD COLUMN claimed_by text,
	ADD COLUMN gateway_refund_no text,
	ADD COLUMN last_outcome text,
	ADD COLUMN raw jsonb;
CREATE INDEX refunds_open ON order_ext_internal.refunds (requested_at) WHERE status IN (10, 15);

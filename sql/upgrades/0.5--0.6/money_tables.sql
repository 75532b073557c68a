-- What money that the engine does not decide alone needs to have on record.
ALTER TABLE order_ext_internal.payments
	ADD COLUMN told_order_id bigint,
	ADD COLUMN duplicate_of bigint,
	ADD COLUMN purpose_was smallint,
	ADD COLUMN currency_told boolean NOT NULL DEFAULT true;
ALTER TABLE order_ext_internal.refunds
	ADD COLUMN fact_id bigint NOT NULL DEFAULT 0,
	ADD COLUMN asked bigint,
	ADD COLUMN claim_after timestamptz,
	ADD COLUMN kept boolean NOT NULL DEFAULT false,
	ADD COLUMN reason text,
	DROP CONSTRAINT refunds_payment_id_cause_after_sale_id_key,
	ADD CONSTRAINT refunds_once UNIQUE (payment_id, cause, after_sale_id, fact_id);
CREATE INDEX refunds_gateway_refund_no ON order_ext_internal.refunds (gateway_refund_no)
	WHERE gateway_refund_no IS NOT NULL;
CREATE INDEX refund_events_gateway_refund_no ON order_ext_internal.refund_events
	(gateway_refund_no) WHERE gateway_refund_no IS NOT NULL;
ALTER TABLE order_ext_internal.after_sales
	ADD COLUMN extra bigint NOT NULL DEFAULT 0,
	ADD COLUMN paid_outside bigint NOT NULL DEFAULT 0,
	DROP CONSTRAINT after_sales_type_check,
	ADD CHECK (type IN (1, 2, 3)),	-- refund_only, return_refund, goodwill
	ADD CONSTRAINT after_sales_parts CHECK (extra >= 0 AND freight + extra <= amount
		AND paid_outside BETWEEN 0 AND amount);

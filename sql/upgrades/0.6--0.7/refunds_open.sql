-- claim_refunds() goes to those that can be claimed, and does not pass over leased or held ones, nor
-- over those of other pay types.
ALTER TABLE order_ext_internal.refunds ADD COLUMN pay_type text;
ALTER TABLE order_ext_internal.refunds DISABLE TRIGGER guard_rows;
UPDATE order_ext_internal.refunds r SET pay_type = coalesce(
	(SELECT p.pay_type FROM order_ext_internal.payments p WHERE p.payment_id = r.payment_id), '');
ALTER TABLE order_ext_internal.refunds ENABLE ALWAYS TRIGGER guard_rows;
ALTER TABLE order_ext_internal.refunds ALTER COLUMN pay_type SET NOT NULL;
DROP INDEX order_ext_internal.refunds_open;
CREATE INDEX refunds_open ON order_ext_internal.refunds
	(pay_type, (CASE WHEN status = 15 THEN greatest(lease_until, claim_after)
		WHEN NOT held THEN greatest(requested_at, claim_after) END))
	WHERE CASE WHEN status IN (10, 15) THEN true ELSE false END;	-- requested, submitted

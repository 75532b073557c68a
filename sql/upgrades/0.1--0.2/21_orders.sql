-- What the buyer may do after the payment.
ALTER TABLE order_ext_internal.orders
	ADD COLUMN address_changes smallint NOT NULL DEFAULT 0,
	ADD COLUMN removed_at timestamptz;

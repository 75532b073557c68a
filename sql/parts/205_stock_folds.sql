-- stock_folds: sums of the ledger, append-only. A fold adds up the rows of a product whose
-- transactions its snapshot sees; the newest one that a reader sees counts, and a newer one
-- replaces it. They are made when they are needed, and no dump contains them.
CREATE TABLE order_ext_internal.stock_folds (
	product_id bigint NOT NULL,
	fold_id bigint NOT NULL,
	available bigint NOT NULL,
	reserved bigint NOT NULL,
	consumed bigint NOT NULL,
	covered pg_snapshot NOT NULL,
	PRIMARY KEY (product_id, fold_id),
	CHECK (least(available, reserved, consumed) >= 0)
);

-- put_product, put_freight, adjust_stock, stock_level, issue_coupon.
\set VERBOSITY sqlstate

-- put_product inserts, then updates; kind and price may change
SELECT order_ext.put_product('CAT-1', 'Cup', 1200);
SELECT order_ext.put_product(sku => 'CAT-2', name => 'Licence', price => 0, kind => 'virtual');
SELECT order_ext.put_product('CAT-1', 'Big cup', 1500, 'normal');
SELECT order_ext.quote_order(7100, '[{"sku": "CAT-1", "quantity": 1}]')->'origin' AS origin;
SELECT t.stock('CAT-1'), t.stock('CAT-2');

-- a price may be up to the largest bigint
SELECT order_ext.put_product('CAT-3', 'Moon', 9223372036854775807);
SELECT order_ext.quote_order(7100, '[{"sku": "CAT-3", "quantity": 1}]')->'pay_amount' AS pay_amount;

-- adjust_stock: answers with the new level, never below zero
SELECT * FROM order_ext.adjust_stock('CAT-1', 10, 'delivery');
SELECT * FROM order_ext.adjust_stock('CAT-1', -4);
SELECT * FROM order_ext.adjust_stock('CAT-1', -7);
SELECT * FROM order_ext.adjust_stock('CAT-1', -6, reason => 'lost');
SELECT * FROM order_ext.stock_level('CAT-1');
SELECT * FROM order_ext.adjust_stock('CAT-none', 1);
SELECT * FROM order_ext.stock_level('CAT-none');
SELECT code, detail IS NOT NULL AS has_detail, hint IS NOT NULL AS has_hint
FROM t.error($$order_ext.adjust_stock('CAT-1', -7)$$);

-- every movement is in the ledger
SELECT kind, delta, reason, order_id IS NULL AS without_order FROM order_ext.stock_ledger_view WHERE sku = 'CAT-1' ORDER BY at;

-- a key is worked off once and answers what it answered first
SELECT * FROM order_ext.adjust_stock('CAT-1', 5, 'count', 'cat-key-1');
SELECT * FROM order_ext.adjust_stock('CAT-1', 3, 'count', 'cat-key-2');
SELECT * FROM order_ext.adjust_stock('CAT-1', 5, 'count', 'cat-key-1');
SELECT * FROM order_ext.stock_level('CAT-1');
SELECT * FROM order_ext.adjust_stock('CAT-1', 6, 'count', 'cat-key-1');
SELECT * FROM order_ext.adjust_stock('CAT-1', 5, 'another reason', 'cat-key-1');
SELECT * FROM order_ext.adjust_stock('CAT-2', 5, 'count', 'cat-key-1');
-- a call that raised leaves no key
SELECT * FROM order_ext.adjust_stock('CAT-1', -100, NULL, 'cat-key-3');
SELECT * FROM order_ext.adjust_stock('CAT-1', -1, NULL, 'cat-key-3');
-- one that rolled back neither
BEGIN;
SELECT * FROM order_ext.adjust_stock('CAT-1', 1, NULL, 'cat-key-4');
ROLLBACK;
SELECT * FROM order_ext.adjust_stock('CAT-1', 2, NULL, 'cat-key-4');

-- stock is a bigint and does not wrap
SELECT * FROM order_ext.adjust_stock('CAT-2', 9223372036854775807);
SELECT * FROM order_ext.adjust_stock('CAT-2', 1);
SELECT * FROM order_ext.adjust_stock('CAT-2', -9223372036854775807);

-- put_freight inserts, then updates
SELECT order_ext.put_freight('cat-north', 800, 5000);
SELECT order_ext.put_freight(region => 'cat-north', fee => 900);
SELECT order_ext.quote_order(7100, '[{"sku": "CAT-1", "quantity": 9}]', options => '{"region": "cat-north"}')->'freight' AS freight;

-- issue_coupon
SELECT order_ext.issue_coupon(7100, 500) AS c1 \gset
SELECT order_ext.issue_coupon(user_id => 7100, amount => 500, threshold => 1000,
							  valid_from => '2020-01-01', valid_until => '2020-02-01') AS c2 \gset
SELECT :c1 <> :c2 AS different;
SELECT status, order_id, amount, threshold, valid_from <= now() AS valid, valid_until
FROM order_ext.coupons_view WHERE coupon_id = :c1;
SELECT user_id, amount, threshold FROM order_ext.coupons_view WHERE coupon_id = :c2;

SELECT * FROM order_ext.verify() WHERE severity = 'error';

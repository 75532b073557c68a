-- quote_order: amounts, freight, coupon apportioned to the items without a lost cent.
\set VERBOSITY sqlstate
SELECT order_ext.put_product('QUO-A', 'A', 10000), order_ext.put_product('QUO-B', 'B', 100),
	   order_ext.put_product('QUO-C', 'C', 333), order_ext.put_product('QUO-0', 'free', 0);
SELECT order_ext.put_freight('quo-far', 800, 20000), order_ext.put_freight('quo-free', 0);

CREATE FUNCTION t.quote(items text, coupon_id bigint DEFAULT NULL, options jsonb DEFAULT '{}', user_id bigint DEFAULT 7110)
RETURNS TABLE (line text) LANGUAGE sql AS $$
	WITH q AS (SELECT order_ext.quote_order(user_id, t.items(items), coupon_id, options) AS q)
	SELECT format('%s - %s + %s = %s %s', q->'origin', q->'discount', q->'freight', q->'pay_amount', q->>'currency') FROM q
	UNION ALL
	SELECT lines FROM q, LATERAL (
		SELECT format('%s: %s x %s - %s = %s', i->>'sku', i->'quantity', i->'price', i->'discount', i->'pay') AS lines
		FROM jsonb_array_elements(q->'items') AS i ORDER BY i->>'sku' COLLATE "C") AS l
$$;

SELECT t.quote('QUO-A:1,QUO-B:1');
-- the keys are those of the contract
SELECT string_agg(k, ', ' ORDER BY k COLLATE "C") FROM jsonb_object_keys(order_ext.quote_order(7110, t.items('QUO-A:1'))) AS k;
SELECT string_agg(k, ', ' ORDER BY k COLLATE "C") FROM jsonb_object_keys(order_ext.quote_order(7110, t.items('QUO-A:1'))->'items'->0) AS k;
-- the same sku twice is summed
SELECT t.quote('QUO-A:1,QUO-B:3,QUO-A:2');
-- quoting needs no stock and stores nothing
SELECT * FROM t.effect($$order_ext.quote_order(7110, t.items('QUO-A:99999'))->'pay_amount'$$);

-- coupons: 500 over 10000 and 100 (the source rounds up item by item: 496 + 4)
SELECT order_ext.issue_coupon(7110, 500) AS c500, order_ext.issue_coupon(7110, 100) AS c100,
	   order_ext.issue_coupon(7110, 20000) AS c20000, order_ext.issue_coupon(7110, 1) AS c1,
	   order_ext.issue_coupon(7110, 50, 10000) AS cthreshold \gset
SELECT t.quote('QUO-A:1,QUO-B:1', :c500);
-- one cent over two lines goes to one of them
SELECT t.quote('QUO-A:1,QUO-B:1', :c1);
-- a line's share goes by its total, quantity included
SELECT t.quote('QUO-B:2,QUO-C:3', :c100);
-- never more than the goods: nothing negative
SELECT t.quote('QUO-A:1,QUO-B:1', :c20000);
SELECT t.quote('QUO-A:1,QUO-B:1', :c20000, '{"region": "quo-far"}');
SELECT t.quote('QUO-0:2,QUO-B:1', :c500);
SELECT t.quote('QUO-0:2', :c500);
-- the threshold is on the goods total, at least
SELECT t.quote('QUO-A:1', :cthreshold);
SELECT t.quote('QUO-B:99', :cthreshold);

-- freight: 0 unless a template matches; free from a goods total before discount
SELECT t.quote('QUO-A:1', options => '{"region": "quo-far"}');
SELECT t.quote('QUO-A:1', options => '{"region": "quo-nowhere"}');
SELECT t.quote('QUO-A:1', options => '{"region": "quo-free"}');
SELECT t.quote('QUO-A:2', options => '{"region": "quo-far"}');
SELECT t.quote('QUO-A:2', :c500, '{"region": "quo-far"}');
-- one below free_from: the fee
SELECT t.quote('QUO-A:1,QUO-B:99', :c500, '{"region": "quo-far"}');
SELECT order_ext.put_price('QUO-A', 'EUR', 9000);
SELECT t.quote('QUO-A:1', options => '{"currency": "EUR"}');

-- errors: OE001 unknown sku, OE202 unusable, OE203 taken
SELECT t.quote('QUO-A:1,QUO-none:1');
SELECT t.quote('QUO-A:1', -1);
SELECT t.quote('QUO-A:1', 9223372036854775807);
SELECT t.quote('QUO-A:1', :c500, user_id => 7111);
SELECT t.quote('QUO-none:1', 9223372036854775807);
SELECT order_ext.issue_coupon(7110, 5, 0, now() - interval '2 days', now() - interval '1 day') AS cold,
	   order_ext.issue_coupon(7110, 5, 0, now() + interval '1 day') AS cearly \gset
SELECT t.quote('QUO-A:1', :cold);
SELECT t.quote('QUO-A:1', :cearly);
SELECT * FROM order_ext.adjust_stock('QUO-A', 1);
SELECT t.new('quo', 'QUO-A:1', :c100, user_id => 7110);
SELECT t.quote('QUO-A:1', :c100);
SELECT t.show(order_ext.cancel_order(t.id('quo')));
SELECT t.drain();
SELECT t.quote('QUO-A:1', :c100);

-- 500 random carts: shares add up, none is negative or above its line, each within a cent of its exact part
SELECT setseed(0.4711);
SELECT count(order_ext.put_product('QUO-R' || n, 'random', (random() * 10 ^ (n % 7))::bigint)) FROM generate_series(1, 20) AS n;
DO $$
DECLARE
	cart jsonb;
	q jsonb;
	coupon bigint;
	wrong bigint;
BEGIN
	FOR i IN 1..500 LOOP
		SELECT jsonb_agg(jsonb_build_object('sku', 'QUO-R' || n, 'quantity', 1 + (random() * 9)::integer))
		INTO cart FROM generate_series(1, 20) AS n WHERE n <= 1 + i % 20;
		coupon := order_ext.issue_coupon(7112, 1 + (random() * 10 ^ (i % 6))::bigint);
		q := order_ext.quote_order(7112, cart, coupon);
		SELECT count(*) INTO wrong FROM jsonb_to_recordset(q->'items') AS l(quantity numeric, price numeric, discount numeric, pay numeric)
		WHERE discount < 0 OR pay < 0 OR pay <> price * quantity - discount
		   OR ((q->>'origin')::numeric > 0
			   AND abs(discount - (q->>'discount')::numeric * price * quantity / (q->>'origin')::numeric) >= 1);
		IF wrong > 0
			OR (q->>'discount')::numeric <> (SELECT sum(discount) FROM jsonb_to_recordset(q->'items') AS l(discount numeric))
			OR (q->>'pay_amount')::numeric <> (SELECT sum(pay) FROM jsonb_to_recordset(q->'items') AS l(pay numeric))
			OR (q->>'discount')::numeric <> least((q->>'origin')::numeric, (SELECT amount FROM order_ext.coupons_view WHERE coupon_id = coupon))
		THEN
			RAISE EXCEPTION 'cart % gives %', cart, q;
		END IF;
	END LOOP;
END
$$;

-- totals beyond a bigint are refused, not wrapped; at the edge the shares stay exact
SELECT order_ext.put_product('QUO-MAX', 'max', 9223372036854775807);
SELECT t.quote('QUO-MAX:2');
SELECT t.quote('QUO-MAX:1,QUO-B:1');
SELECT t.quote('QUO-MAX:1', options => '{"region": "quo-far"}');
SELECT order_ext.put_product('QUO-HALF', 'half', 4611686018427387903);
SELECT order_ext.issue_coupon(7110, 9223372036854775806) AS chuge, order_ext.issue_coupon(7110, 9223372036854775805) AS chuge1 \gset
SELECT t.quote('QUO-HALF:2', :chuge);
SELECT order_ext.put_product('QUO-HALF2', 'half', 4611686018427387903);
SELECT t.quote('QUO-HALF:1,QUO-HALF2:1', :chuge1);

SELECT * FROM order_ext.verify() WHERE severity = 'error';

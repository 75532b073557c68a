-- Parcels that do not arrive: lost (the money goes back at once, the goods do not) and returned (as
-- refused: both wait for return_receipt); and what refused calls advise.
SELECT order_ext.put_product('SU-1', 'A', 100), order_ext.put_product('SU-V', 'V', 100, 'virtual');
SELECT available FROM order_ext.adjust_stock('SU-1', 100) UNION ALL SELECT available FROM order_ext.adjust_stock('SU-V', 100);
CREATE PROCEDURE t.parcel(name text, VARIADIC kinds text[]) LANGUAGE plpgsql AS $$
BEGIN
	PERFORM t.new(name, 'SU-1:2', user_id => 7450);
	PERFORM order_ext.pay_callback(t.id(name), 'SU-' || name, 'card', 200);
	COMMIT;
	PERFORM t.drain();
	COMMIT;
	FOR i IN 1 .. cardinality(kinds) LOOP
		PERFORM order_ext.shipment_event(t.id(name), kinds[i], kinds[i]);
		COMMIT;
	END LOOP;
END $$;
CREATE FUNCTION t.after_sales(name text) RETURNS SETOF text LANGUAGE sql STABLE AS $$
	SELECT concat_ws(' ', a.type, a.status, a.amount, a.reason_kind, a.origin, a.return_status, r.status)
	FROM order_ext.after_sales_view a LEFT JOIN order_ext.refunds_view r USING (after_sale_id) WHERE a.order_id = t.id(name) ORDER BY a.after_sale_id
$$;

-- ---- lost, from either status ----
CALL t.parcel('lost1', 'out_stock', 'lost');
CALL t.parcel('lost2', 'out_stock', 'delivering', 'lost');
SELECT t.order('lost1'), t.order('lost2');
SELECT t.after_sales('lost1') UNION ALL SELECT t.after_sales('lost2');
SELECT t.stock('SU-1');
SELECT t.drain();
SELECT t.after_sales('lost1');
SELECT t.stock('SU-1');
-- again; and what does not go with it
SELECT kind, e.outcome, e.changed FROM unnest('{lost,refused,returned,signed,delivering}'::text[]) AS kind, LATERAL t.effect(format('order_ext.shipment_event(t.id(''lost1''), ''again '' || %L, %L)', kind, kind)) AS e;

-- ---- returned ----
CALL t.parcel('back1', 'out_stock', 'returned');
CALL t.parcel('back2', 'out_stock', 'delivering', 'returned');
SELECT t.order('back1'), t.order('back2');
SELECT t.after_sales('back1') UNION ALL SELECT t.after_sales('back2');
SELECT t.drain();
SELECT kind, e.outcome, e.changed FROM unnest('{returned,refused,lost,signed}'::text[]) AS kind, LATERAL t.effect(format('order_ext.shipment_event(t.id(''back1''), ''again '' || %L, %L)', kind, kind)) AS e;
SELECT t.show(order_ext.return_receipt((SELECT after_sale_id FROM order_ext.after_sales_view WHERE order_id = t.id('back1')), '[{"sku": "SU-1", "quantity": 2}]', true));
SELECT t.drain();
SELECT t.after_sales('back1');
SELECT t.stock('SU-1');

-- ---- early, and late ----
SELECT t.new('early', 'SU-1:2', user_id => 7450);
SELECT t.show(order_ext.shipment_event(t.id('early'), 'l', 'lost')), t.show(order_ext.shipment_event(t.id('early'), 'o', 'out_stock'));
SELECT t.show(order_ext.pay_callback(t.id('early'), 'SU-early', 'card', 200));
SELECT t.drain();
SELECT t.order('early');
SELECT t.after_sales('early');
CALL t.parcel('signed', 'out_stock', 'delivering', 'signed');
SELECT kind, e.outcome FROM unnest('{lost,returned}'::text[]) AS kind, LATERAL t.effect(format('order_ext.shipment_event(t.id(''signed''), %L, %L)', kind, kind)) AS e;
SELECT t.new('gone', 'SU-1:1', user_id => 7450);
SELECT t.show(order_ext.cancel_order(t.id('gone')));
SELECT kind, e.outcome FROM unnest('{lost,returned}'::text[]) AS kind, LATERAL t.effect(format('order_ext.shipment_event(t.id(''gone''), %L, %L)', kind, kind)) AS e;

-- ---- what to do instead ----
CALL t.parcel('out', 'out_stock');
CALL t.parcel('under way', 'out_stock', 'delivering');
CALL t.parcel('turned back', 'out_stock', 'refused');
SELECT name, code, hint FROM unnest('{out,under way,signed,turned back,lost1}'::text[]) AS name, LATERAL t.error(format('order_ext.cancel_order(t.id(%L))', name)) AS e;
SELECT name, code, hint FROM unnest('{early,out,under way,gone}'::text[]) AS name, LATERAL t.error(format('order_ext.apply_after_sale(t.id(%L), 7450, ''refund_only'', ''[{"sku": "SU-1", "quantity": 1}]'')', name)) AS e;
-- the advice works
SELECT name, e.outcome FROM unnest('{out,under way,turned back}'::text[]) AS name, LATERAL t.effect(format('order_ext.refund_order(t.id(%L), 10)', name)) AS e;
SELECT t.drain();
SELECT invariant, entity, expected, actual FROM order_ext.verify() WHERE severity = 'error';

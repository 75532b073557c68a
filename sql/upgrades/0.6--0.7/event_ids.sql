-- Surrounding blanks are no part of an event id. Ids of an order that differ in nothing else stay.
ALTER TABLE order_ext_internal.shipment_events DISABLE TRIGGER guard_rows;
UPDATE order_ext_internal.shipment_events e SET event_id = btrim(e.event_id, E' \t\n\x0B\f\r')
WHERE e.event_id <> btrim(e.event_id, E' \t\n\x0B\f\r')
	AND btrim(e.event_id, E' \t\n\x0B\f\r') <> ''
	AND NOT EXISTS (SELECT FROM order_ext_internal.shipment_events o
		WHERE o.order_id = e.order_id AND o.source = e.source AND o.event_id <> e.event_id
			AND btrim(o.event_id, E' \t\n\x0B\f\r') = btrim(e.event_id, E' \t\n\x0B\f\r'));
ALTER TABLE order_ext_internal.shipment_events ENABLE ALWAYS TRIGGER guard_rows;

/*
 * fulfilment.c
 *		The checks of verify() about fulfillment; see queries.c.
 */
#include "compat.h"

#include "api/verify/fulfilment.h"
#include "api/verify/sums.h"
#include "machine/base/machine.h"

/* ---- I11: fulfillments match their orders ---- */

/* Orders of virtual goods are signed without a fulfillment. */
const char	verify_fulfilments_and_orders[] =
	"SELECT 'error', 'order ' || coalesce(o.order_id, f.order_id),"
	" CASE WHEN o.order_id IS NULL THEN 'an order row'"
	"  WHEN o.status IN (" CODES(ORDER_CREATED, ORDER_PAID) ") THEN 'no fulfilment yet'"
	"  WHEN o.status = " CODE(ORDER_FULFILLING) " THEN 'a fulfilment at "
	CODES(FULFILMENT_CREATED, FULFILMENT_PICKING, FULFILMENT_LABELLED)
	" or " CODE(FULFILMENT_CANCEL_REQUESTED) "'"
	"  WHEN o.status = " CODE(ORDER_CANCELED)
	"   THEN 'a fulfilment at " CODE(FULFILMENT_CANCELED) ", or none'"
	"  ELSE 'a fulfilment at " CODE(FULFILMENT_OUT) "' END,"
	" format('order at %s, fulfilment at %s', coalesce(o.status::text, 'none'),"
	"  coalesce(f.status::text, 'none'))"
	" FROM order_ext_internal.orders o"
	" FULL JOIN order_ext_internal.fulfilments f ON f.order_id = o.order_id"
	" WHERE CASE"
	"  WHEN o.order_id IS NULL THEN true"
	"  WHEN o.status IN (" CODES(ORDER_CREATED, ORDER_PAID) ") THEN f.order_id IS NOT NULL"
	"  WHEN o.status = " CODE(ORDER_FULFILLING) " THEN f.status IS NULL OR f.status NOT IN ("
	"   " CODES(FULFILMENT_CREATED, FULFILMENT_PICKING, FULFILMENT_LABELLED,
	FULFILMENT_CANCEL_REQUESTED) ")"
	"  WHEN o.status IN (" CODES(ORDER_OUT_STOCK, ORDER_DELIVERING, ORDER_REFUSED) ")"
	"   THEN f.status IS DISTINCT FROM " CODE(FULFILMENT_OUT)
	"  WHEN o.status = " CODE(ORDER_SIGNED) " THEN f.status <> " CODE(FULFILMENT_OUT)
	"  WHEN o.status = " CODE(ORDER_CANCELED) " THEN f.status <> " CODE(FULFILMENT_CANCELED)
	"  ELSE false END";

/* Virtual goods are compared row by row. */
const char	verify_fulfilments_and_orders_print[] =
	"SELECT " SUM_OF("orders", "orders_sums", "status = " CODE(ORDER_FULFILLING))
	"  = " SUM_OF("orders", "fulfilments_sums", "status IN ("
	CODES(FULFILMENT_CREATED, FULFILMENT_PICKING, FULFILMENT_LABELLED,
	FULFILMENT_CANCEL_REQUESTED) ")")
	" AND " SUM_OF("orders", "orders_sums", "status IN (" ORDERS_OUT ")")
	"  = " SUM_OF("orders", "fulfilments_sums", "status = " CODE(FULFILMENT_OUT))
	" AND NOT EXISTS (SELECT FROM fulfilments_sums WHERE status NOT IN ("
	CODES(FULFILMENT_CREATED, FULFILMENT_PICKING, FULFILMENT_LABELLED, FULFILMENT_CANCEL_REQUESTED,
	FULFILMENT_OUT, FULFILMENT_CANCELED) "))"
	" AND (NOT EXISTS (SELECT FROM fulfilments_sums WHERE status = " CODE(FULFILMENT_CANCELED) ")"
	"  OR NOT EXISTS (SELECT FROM order_ext_internal.fulfilments f"
	"   LEFT JOIN order_ext_internal.orders o ON o.order_id = f.order_id"
	"   WHERE f.status = " CODE(FULFILMENT_CANCELED)
	"    AND o.status IS DISTINCT FROM " CODE(ORDER_CANCELED) "))";

/* A tombstone has no documents; those of a parcel have matching statuses. */
const char	verify_fulfilment_documents[] =
	"WITH document AS ("
	" SELECT order_id, count(*) AS n, min(status) AS lowest, max(status) AS highest"
	" FROM order_ext_internal.fulfilment_documents GROUP BY order_id),"
	" fulfilment AS ("
	" SELECT order_id, status, CASE"
	"  WHEN status = " CODE(FULFILMENT_CANCELED) " THEN NULL"
	"  WHEN CASE status WHEN " CODE(FULFILMENT_CANCEL_REQUESTED) " THEN prior_status"
	"   ELSE status END IN (" CODES(FULFILMENT_CREATED, FULFILMENT_PICKING) ") THEN 1"
	"  ELSE 2 END AS n,"
	"  CASE status WHEN " CODE(FULFILMENT_OUT) " THEN " CODE(DOCUMENT_DONE)
	"   WHEN " CODE(FULFILMENT_CANCELED) " THEN " CODE(DOCUMENT_CANCELED)
	"   ELSE " CODE(DOCUMENT_OPEN) " END AS document_status"
	" FROM order_ext_internal.fulfilments)"
	"SELECT 'error', 'fulfilment ' || coalesce(f.order_id, d.order_id),"
	" coalesce(format('%s at %s', CASE f.n WHEN 1 THEN 'a delivery order'"
	"   WHEN 2 THEN 'a delivery and a logistic order' ELSE 'documents, if any,' END,"
	"   f.document_status), 'a fulfilment'),"
	" format('at %s, %s document(s) from %s to %s', f.status, coalesce(d.n, 0),"
	"  d.lowest, d.highest)"
	" FROM fulfilment f FULL JOIN document d ON d.order_id = f.order_id"
	" WHERE f.order_id IS NULL OR (f.n IS NOT NULL AND d.n IS DISTINCT FROM f.n)"
	"  OR d.lowest <> f.document_status OR d.highest <> f.document_status";

#define DOCUMENTS(kind, status) \
	SUM_OF("orders", "documents_sums", "kind = " CODE(kind) " AND status = " CODE(status))
#define WITH_LABEL \
	"CASE status WHEN " CODE(FULFILMENT_CANCEL_REQUESTED) " THEN prior_status" \
	" ELSE status END IN (" CODES(FULFILMENT_CREATED, FULFILMENT_PICKING) ") IS NOT TRUE"
#define UNDER_WAY "status NOT IN (" CODES(FULFILMENT_OUT, FULFILMENT_CANCELED) ")"

/* The documents that fulfillments need are those there are; canceled ones are of canceled ones. */
const char	verify_fulfilment_documents_print[] =
	"SELECT " DOCUMENTS(DELIVERY_ORDER, DOCUMENT_DONE)
	"  = " SUM_OF("orders", "fulfilments_sums", "status = " CODE(FULFILMENT_OUT))
	" AND " DOCUMENTS(LOGISTIC_ORDER, DOCUMENT_DONE)
	"  = " SUM_OF("orders", "fulfilments_sums", "status = " CODE(FULFILMENT_OUT))
	" AND " DOCUMENTS(DELIVERY_ORDER, DOCUMENT_OPEN)
	"  = " SUM_OF("orders", "fulfilments_sums", UNDER_WAY)
	" AND " DOCUMENTS(LOGISTIC_ORDER, DOCUMENT_OPEN)
	"  = " SUM_OF("orders", "fulfilments_sums", UNDER_WAY " AND " WITH_LABEL)
	" AND NOT EXISTS (SELECT FROM documents_sums WHERE kind NOT IN ("
	CODES(DELIVERY_ORDER, LOGISTIC_ORDER) ") OR status NOT IN ("
	CODES(DOCUMENT_OPEN, DOCUMENT_DONE, DOCUMENT_CANCELED) "))"
	" AND (NOT EXISTS (SELECT FROM documents_sums WHERE status = " CODE(DOCUMENT_CANCELED) ")"
	"  OR NOT EXISTS (SELECT FROM order_ext_internal.fulfilment_documents d"
	"   LEFT JOIN order_ext_internal.fulfilments f ON f.order_id = d.order_id"
	"   WHERE d.status = " CODE(DOCUMENT_CANCELED)
	"    AND f.status IS DISTINCT FROM " CODE(FULFILMENT_CANCELED) "))";

const char	verify_parked_shipments[] =
	"SELECT 'error', format('order %s event %s', e.order_id, e.event_id),"
	" 'parked only before its turn',"
	" format('kind %s parked, order at %s, fulfilment at %s', e.kind,"
	"  coalesce(o.status::text, 'none'), coalesce(f.status::text, 'none'))"
	" FROM order_ext_internal.shipment_events e"
	" LEFT JOIN order_ext_internal.orders o ON o.order_id = e.order_id"
	" LEFT JOIN order_ext_internal.fulfilments f ON f.order_id = e.order_id"
	" WHERE e.state = " CODE(SHIPMENT_PARKED) " AND CASE"
	"  WHEN o.status IN (" CODES(ORDER_CREATED, ORDER_PAID) ") THEN false"
	"  WHEN o.status = " CODE(ORDER_FULFILLING) " THEN NOT (e.kind > " CODE(SHIPMENT_OUT_STOCK)
	"   OR (e.kind = " CODE(SHIPMENT_PICKED) " AND f.status = " CODE(FULFILMENT_CANCEL_REQUESTED)
	"    AND f.prior_status = " CODE(FULFILMENT_CREATED) "))"
	"  WHEN o.status = " CODE(ORDER_OUT_STOCK) " THEN e.kind <> " CODE(SHIPMENT_SIGNED)
	"  ELSE true END";

const char	verify_paid_orders[] =
	"WITH " PENDING_KEYS(CODE(TOPIC_ORDER_PAID))
	"SELECT 'error', 'order ' || o.order_id, 'its order.paid on its way',"
	" format('paid at %s, and no message', o.paid_at)"
	" FROM order_ext_internal.orders o"
	" WHERE o.status = " CODE(ORDER_PAID)
	"  AND NOT EXISTS (SELECT FROM pending WHERE pending.key = o.order_id)";

const char	verify_paid_orders_print[] =
	"SELECT NOT EXISTS (SELECT FROM orders_sums WHERE status = " CODE(ORDER_PAID) ")";

/* ---- I15: what waits for a person ---- */

const char	verify_waiting_shipments[] =
	"SELECT 'warning', format('order %s event %s', e.order_id, e.event_id),"
	" 'applied within a day',"
	" format('parked, %s old: kind %s, order at %s', " AGE("e.recorded_at") ", e.kind, o.status)"
	" FROM order_ext_internal.shipment_events e"
	" JOIN order_ext_internal.orders o ON o.order_id = e.order_id"
	" WHERE e.state = " CODE(SHIPMENT_PARKED)
	"  AND e.recorded_at < (SELECT clock_timestamp() - interval '1 day')";

const char	verify_unanswered_cancels[] =
	"SELECT 'warning', 'order ' || f.order_id, 'an answer of the warehouse within an hour',"
	" format('asked to cancel %s ago', " AGE("f.cancel_requested_at") ")"
	" FROM order_ext_internal.fulfilments f"
	" WHERE f.status = " CODE(FULFILMENT_CANCEL_REQUESTED)
	"  AND f.cancel_requested_at < (SELECT clock_timestamp() - interval '1 hour')";

const char	verify_unanswered_cancels_print[] =
	"SELECT NOT EXISTS (SELECT FROM fulfilments_sums WHERE status = "
	CODE(FULFILMENT_CANCEL_REQUESTED) ")";

/*
 * facts.c
 *		Facts that wait for staff; see facts.h.
 */
#include "compat.h"

#include "api/verify/check.h"
#include "api/verify/facts.h"
#include "core/spi_util.h"
#include "machine/base/codes.h"
#include "machine/base/held_fact.h"

/*
 * The matter of a fact has ended by itself when what it contradicted has moved on: an attempt
 * does not matter once its order has been paid or canceled, a capture was assigned to the order
 * that a notice named, a refund that was reversed was made again, money that went back outside is
 * on record by now, the after-sale of a return was settled, or the order has come to where the
 * second fact of an event_id wanted it.
 */
#define APPLIED_SINCE(kinds) \
	"EXISTS (SELECT FROM order_ext_internal.money_facts m" \
	" WHERE m.number = f.payload->>'number' AND m.pay_type = f.payload->>'pay_type'" \
	"  AND m.kind IN (" kinds ") AND m.disposition = 'applied' AND m.recorded_at > f.at)"
#define RETURN_SETTLED \
	"a.status NOT IN (" CODES(AFTER_SALE_APPLIED, AFTER_SALE_APPROVED) ")" \
	" AND (a.status NOT IN (" AFTER_SALES_APPROVED ")" \
	"  OR a.return_status IS NOT DISTINCT FROM " CODE(RETURN_INSPECTED) ")"
#define ENDED \
	"CASE f.kind" \
	" WHEN '" FACT_PAY_CALLBACK "' THEN EXISTS (SELECT FROM order_ext_internal.payments p" \
	"   WHERE p.payment_id = f.entity_id AND p.order_id = f.order_id" \
	"    AND p.amount::text = f.payload->>'amount' AND p.currency = f.payload->>'currency')" \
	" WHEN '" FACT_RECORD_REFUND "' THEN " APPLIED_SINCE(CODE(MONEY_FACT_REFUND)) \
	"  OR EXISTS (SELECT FROM order_ext_internal.refunds g" \
	"   JOIN order_ext_internal.payments p ON p.payment_id = g.payment_id" \
	"   WHERE g.gateway_refund_no = f.payload->>'number' AND p.pay_type = f.payload->>'pay_type'" \
	"    AND g.status = " CODE(REFUND_SUCCEEDED) " AND g.amount::text = f.payload->>'amount')" \
	" WHEN '" FACT_PAYMENT_DISPUTED "' THEN " APPLIED_SINCE(CODES(MONEY_FACT_DISPUTE_OPENED, \
	MONEY_FACT_DISPUTE_WON, MONEY_FACT_DISPUTE_LOST)) \
	" WHEN '" FACT_PAYMENT_CLOSED "' THEN o.status <> " CODE(ORDER_CREATED) \
	" WHEN '" FACT_REFUND_CALLBACK "' THEN CASE f.reason" \
	"  WHEN 'refund_reversed' THEN r.status <> " CODE(REFUND_FAILED) \
	"  WHEN 'refund_amount_differs' THEN r.status = " CODE(REFUND_SUCCEEDED) \
	"   AND r.settled_at > f.at" \
	"  WHEN 'refunded_after_withdrawal' THEN r.status = " CODE(REFUND_SUCCEEDED) " END" \
	" WHEN '" FACT_RETURN_SHIPMENT "' THEN " RETURN_SETTLED \
	" WHEN '" FACT_RETURN_RECEIPT "' THEN " RETURN_SETTLED \
	" WHEN '" FACT_SHIPMENT_EVENT "' THEN f.reason = 'event_id_reused_held'" \
	"  AND CASE f.payload->>'kind'" \
	"   WHEN 'signed' THEN o.status = " CODE(ORDER_SIGNED) \
	"   WHEN 'refused' THEN o.status = " CODE(ORDER_REFUSED) \
	"   ELSE o.status IN (" CODES(ORDER_DELIVERING, ORDER_SIGNED, ORDER_REFUSED) ") END" \
	" WHEN '" FACT_CANCEL_RESULT "' THEN CASE f.reason" \
	"  WHEN 'accepted_unasked_held' THEN o.status IN (" \
	CODES(ORDER_CANCELED, ORDER_OUT_STOCK, ORDER_DELIVERING, ORDER_SIGNED, ORDER_REFUSED) ")" \
	"  WHEN 'accepted_after_out_held' THEN o.status IN (" \
	CODES(ORDER_SIGNED, ORDER_REFUSED) ") END" \
	" END"

const char	verify_held_facts[] =
	"SELECT 'warning',"
	" coalesce(CASE f.kind WHEN '" FACT_PAY_CALLBACK "' THEN 'payment ' || f.entity_id"
	"  WHEN '" FACT_PAYMENT_CLOSED "' THEN 'order ' || f.order_id"
	"  WHEN '" FACT_REFUND_CALLBACK "' THEN 'refund ' || f.entity_id"
	"  WHEN '" FACT_RECORD_REFUND "'"
	"   THEN coalesce('payment ' || f.entity_id, 'order ' || f.order_id)"
	"  WHEN '" FACT_PAYMENT_DISPUTED "'"
	"   THEN coalesce('payment ' || f.entity_id, 'order ' || f.order_id)"
	"  WHEN '" FACT_RETURN_SHIPMENT "' THEN 'after-sale ' || f.entity_id"
	"  WHEN '" FACT_RETURN_RECEIPT "' THEN 'after-sale ' || f.entity_id"
	"  WHEN '" FACT_SHIPMENT_EVENT "'"
	"   THEN 'order ' || f.order_id || ' event ' || (f.payload->>'event_id')"
	"  WHEN '" FACT_CANCEL_RESULT "'"
	"   THEN 'order ' || f.order_id || ' event ' || (f.payload->>'event_id')"
	"  ELSE 'order ' || f.order_id END, 'fact ' || f.fact_id),"
	" 'settled: resolve_fact',"
	" format('fact %s of %s, %s old: %s', f.fact_id, f.kind, " AGE("f.at") ","
	"  coalesce(f.reason, 'it fits no attempt'))"
	" FROM order_ext_internal.held_facts f"
	" LEFT JOIN order_ext_internal.orders o ON o.order_id = f.order_id"
	" LEFT JOIN order_ext_internal.refunds r"
	"  ON f.kind = '" FACT_REFUND_CALLBACK "' AND r.refund_id = f.entity_id"
	" LEFT JOIN order_ext_internal.after_sales a"
	"  ON f.kind IN ('" FACT_RETURN_SHIPMENT "', '" FACT_RETURN_RECEIPT "')"
	"  AND a.after_sale_id = f.entity_id"
	" WHERE f.resolved_at IS NULL AND (" ENDED ") IS NOT TRUE";

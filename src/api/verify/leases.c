/*
 * leases.c
 *		Checks about the leases of external consumers; see leases.h.
 */
#include "compat.h"

#include "api/verify/leases.h"
#include "message/lease/receipts.h"

/*
 * Without its receipt, or if no consumer receives, a lease never ends, and the message is lost
 * with its consumer.
 */
const char	verify_leases_end[] =
	"SELECT 'error', format('lease %s of message %s', l.token, l.message_id),"
	" format('receipt %s of group %s', l.until_receipt, l.group_id),"
	" CASE WHEN g.handler IS NOT NULL THEN 'its group has a handler'"
	"  WHEN r.receipt IS NULL THEN 'no such receipt'"
	"  ELSE format('a receipt of group %s for others', r.group_id) END"
	" FROM order_ext_internal.leases l"
	" LEFT JOIN order_ext_internal.lease_receipts r ON r.receipt = l.until_receipt"
	" LEFT JOIN order_ext_internal.consumer_groups g ON g.group_id = l.group_id"
	" WHERE g.handler IS NOT NULL OR r.receipt IS NULL OR r.group_id <> l.group_id"
	"  OR NOT coalesce(l.token = ANY (r.tokens), l.token / " CODE(TOKENS_A_RECEIPT) " = r.receipt)";

const char	verify_ended_leases[] =
	"SELECT 'warning', 'group ' || coalesce(g.name, r.group_id::text),"
	" 'received again when its leases end',"
	" format('%s lease(s) have run out, the first %s ago: is a consumer running?',"
	"  count(*), " AGE("min(r.lease_until)") ")"
	" FROM order_ext_internal.lease_receipts r"
	" JOIN order_ext_internal.leases l ON l.until_receipt = r.receipt"
	" LEFT JOIN order_ext_internal.consumer_groups g ON g.group_id = r.group_id"
	" WHERE r.lease_until <= (SELECT clock_timestamp())"
	" GROUP BY g.name, r.group_id";

/*
 * dispute.c
 *		Disputes; see dispute.h.
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"

#include "core/spi_util.h"
#include "machine/archive/recall.h"
#include "machine/gateway/dispute.h"

static SavedPlan read_dispute = SAVED_PLAN(
	"SELECT payment_id, order_id, amount, coalesce(refund_id, 0), status"
	" FROM order_ext_internal.disputes WHERE dispute_no = $1 AND pay_type = $2",
	TEXTOID, TEXTOID);

/* One that ends without having been opened was never open. */
static SavedPlan write_dispute = SAVED_PLAN(
	"INSERT INTO order_ext_internal.disputes"
	" (dispute_no, pay_type, payment_id, order_id, amount, refund_id, status, opened_at, ended_at)"
	" VALUES ($1, $2, $3, $4, $5, nullif($6, 0), $7,"
	"  CASE WHEN $7 = " CODE(DISPUTE_OPENED) " THEN $8 END,"
	"  CASE WHEN $7 <> " CODE(DISPUTE_OPENED) " THEN $8 END)"
	" ON CONFLICT (dispute_no, pay_type) DO UPDATE SET amount = excluded.amount,"
	"  refund_id = excluded.refund_id, status = excluded.status, ended_at = excluded.ended_at",
	TEXTOID, TEXTOID, INT8OID, INT8OID, INT8OID, INT8OID, INT2OID, TIMESTAMPTZOID);

static SavedPlan is_open = SAVED_PLAN(
	"SELECT FROM order_ext_internal.disputes WHERE payment_id = $1"
	" AND status = " CODE(DISPUTE_OPENED) " LIMIT 1",
	INT8OID);

bool
dispute_read(const char *pay_type, const char *dispute_no, Dispute *dispute)
{
	Datum		values[2] = {CStringGetTextDatum(dispute_no), CStringGetTextDatum(pay_type)};

	if (plan_query(&read_dispute, values, NULL, 1) == 0 &&
		!(recall_by_number("number", dispute_no) &&
		  plan_query(&read_dispute, values, NULL, 1) > 0))
		return false;
	dispute->payment_id = row_int64(0, 1);
	dispute->order_id = row_int64(0, 2);
	dispute->amount = row_int64(0, 3);
	dispute->refund_id = row_int64(0, 4);
	dispute->status = row_int16(0, 5);
	dispute->pay_type = pay_type;
	dispute->dispute_no = dispute_no;
	return true;
}

void
dispute_write(const Dispute *dispute, TimestampTz at)
{
	Datum		values[8];

	values[0] = CStringGetTextDatum(dispute->dispute_no);
	values[1] = CStringGetTextDatum(dispute->pay_type);
	values[2] = Int64GetDatum(dispute->payment_id);
	values[3] = Int64GetDatum(dispute->order_id);
	values[4] = Int64GetDatum(dispute->amount);
	values[5] = Int64GetDatum(dispute->refund_id);
	values[6] = Int16GetDatum(dispute->status);
	values[7] = TimestampTzGetDatum(at);
	(void) plan_write(&write_dispute, values, NULL, 0);
}

bool
dispute_is_open(int64 payment_id)
{
	Datum		values[1] = {Int64GetDatum(payment_id)};

	return plan_query(&is_open, values, NULL, 1) > 0;
}

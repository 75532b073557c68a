/*
 * dropped_capture.c
 *		Captures of dropped orders; see dropped_capture.h.
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"

#include "core/spi_util.h"
#include "machine/archive/recall.h"
#include "machine/payment/dropped_capture.h"

static SavedPlan find_capture = SAVED_PLAN(
	"SELECT d.order_id, (p ->> 'payment_id')::bigint, (p ->> 'amount')::bigint,"
	"  (p ->> 'status')::smallint, (p ->> 'purpose')::smallint, p ->> 'currency',"
	"  (p ->> 'told_order_id')::bigint"
	" FROM order_ext_archive.keys k"
	" JOIN order_ext_archive.dropped d ON d.order_id = k.order_id"
	" CROSS JOIN LATERAL jsonb_array_elements(d.remains #> '{rows,payments}') AS p"
	" WHERE k.key = order_ext_internal.archive_key('trade', $2)"
	"  AND p ->> 'pay_type' = $1 AND p ->> 'out_trade_no' = $2",
	TEXTOID, TEXTOID);

bool
dropped_capture(const char *pay_type, const char *out_trade_no, Payment *payment)
{
	Datum		values[2] = {CStringGetTextDatum(pay_type), CStringGetTextDatum(out_trade_no)};

	if (recall_look_now(&find_capture, values) == 0)
		return false;
	memset(payment, 0, sizeof(*payment));
	payment->order_id = row_int64(0, 1);
	payment->payment_id = row_int64(0, 2);
	payment->amount = row_int64(0, 3);
	payment->status = row_int16(0, 4);
	payment->purpose = row_int16(0, 5);
	payment->currency = row_text(0, 6);
	payment->assigned = !row_is_null(0, 7);
	payment->told_order_id = row_int64_or(0, 7, 0);
	payment->pay_type = unconstify(char *, pay_type);
	payment->out_trade_no = unconstify(char *, out_trade_no);
	return true;
}

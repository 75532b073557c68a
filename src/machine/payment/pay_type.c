/*
 * pay_type.c
 *		What is special about a pay type; see pay_type.h.
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"

#include "core/internal.h"
#include "core/spi_util.h"
#include "machine/payment/pay_type.h"

static SavedPlan read_pay_type = SAVED_PLAN(
	"SELECT hold_surplus, surplus_delay FROM order_ext_internal.pay_types WHERE pay_type = $1",
	TEXTOID);

static SavedPlan write_pay_type = SAVED_PLAN(
	"INSERT INTO order_ext_internal.pay_types (pay_type, hold_surplus, surplus_delay)"
	" VALUES ($1, $2, $3) ON CONFLICT (pay_type) DO UPDATE"
	" SET hold_surplus = excluded.hold_surplus, surplus_delay = excluded.surplus_delay",
	TEXTOID, BOOLOID, INT8OID);

void
pay_type_read(const char *name, PayType *pay_type)
{
	Datum		values[1] = {CStringGetTextDatum(name)};

	memset(pay_type, 0, sizeof(PayType));
	/* New in 0.6: until the update, nobody has set anything. */
	if (!OidIsValid(internal_relation_or_none("pay_types")))
		return;
	if (plan_query(&read_pay_type, values, NULL, 1) == 0)
		return;
	pay_type->hold_surplus = row_bool(0, 1);
	pay_type->surplus_delay = row_int64(0, 2);
}

void
pay_type_write(const char *name, const PayType *pay_type)
{
	Datum		values[3];

	values[0] = CStringGetTextDatum(name);
	values[1] = BoolGetDatum(pay_type->hold_surplus);
	values[2] = Int64GetDatum(pay_type->surplus_delay);
	(void) plan_write(&write_pay_type, values, NULL, 0);
}

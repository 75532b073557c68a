/*
 * recent.c
 *		The recent check; see recent.h and docs/invariants.md.
 *
 * Everything that happens to an order leaves a row of transition_log in the same transaction, or
 * follows from something that is on its way, for which the order is listed in the mark. So the
 * orders that the mark does not cover are those of the log rows that are not visible in the mark's
 * snapshot, which its BRIN index on the time finds, and those listed. Their rows are read by keys,
 * once, into tuplestores, and the checks of the full verify() run on these instead of the tables.
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "lib/stringinfo.h"

#include "api/verify/log.h"
#include "api/verify/messages.h"
#include "api/verify/queries.h"
#include "api/verify/recent.h"
#include "api/verify/walls.h"
#include "machine/base/machine.h"

#define INTERNAL "order_ext_internal."

/* What holds of a check by its name. */
typedef struct Rule
{
	const char *check;
	RecentKind	kind;
	const char *sql;
} Rule;

static const Rule rules[] = {
	{"amounts of orders and items", RECENT_ORDERS, NULL},
	{"every capture has one purpose", RECENT_ORDERS, NULL},
	{"the purpose of a capture fits its order", RECENT_ORDERS, NULL},
	{"never more refunded than captured", RECENT_ORDERS, NULL},
	{"never more gone back than captured", RECENT_ORDERS, NULL},
	{"a refund fits its payment, after-sale and status", RECENT_ORDERS, NULL},
	{"money that belongs to no live order has its refund", RECENT_ORDERS, NULL},
	{"what was paid too much goes back", RECENT_ORDERS, NULL},
	{"failed refunds", RECENT_ORDERS, NULL},
	{"lines go back once, for what was paid", RECENT_ORDERS, NULL},
	{"freight goes back once, with the last piece", RECENT_ORDERS, NULL},
	{"reservations fit the status of their order", RECENT_ORDERS, NULL},
	{"reservations are in the ledger", RECENT_ORDERS, NULL},
	{"what comes back was sold", RECENT_ORDERS, NULL},
	{"coupons are held by the order that names them", RECENT_ORDERS, NULL},
	{"orders hold their coupon until all of them has gone back", RECENT_ORDERS, NULL},
	{"the log is a chain that ends with the row", RECENT_ORDERS, NULL},
	{"every transition is in the state graph", RECENT_ORDERS, NULL},
	{"transitions and messages of the same transaction", RECENT_OWN,
	verify_transition_messages_recent},
	{"cursors are not ahead of the log", RECENT_SAME, NULL},
	{"cursors move on", RECENT_SAME, NULL},
	{"parked messages wait for something", RECENT_SAME, NULL},
	{"groups have consumed what is behind them", RECENT_OWN, verify_consumed_recent},
	{"leases have an end", RECENT_SAME, NULL},
	{"gateways have their groups", RECENT_SAME, NULL},
	{"the rings go round", RECENT_SAME, NULL},
	{"rows of the log are of the past", RECENT_SAME, NULL},
	{"timers wait in their bucket, once", RECENT_SAME, NULL},
	{"unpaid orders have a timer", RECENT_ORDERS, verify_timers_armed_recent},
	{"overdue orders", RECENT_SAME, verify_overdue_recent},
	{"fulfilments fit their orders", RECENT_ORDERS, NULL},
	{"documents fit their fulfilments", RECENT_ORDERS, NULL},
	{"facts are parked before their turn only", RECENT_ORDERS, NULL},
	{"paid orders are on their way", RECENT_ORDERS, NULL},
	{"one applied capture where an order was paid", RECENT_ORDERS, NULL},
	{"after-sales fit their refunds", RECENT_ORDERS, NULL},
	{"after-sales are the sum of their lines", RECENT_ORDERS, NULL},
	{"goods are inspected before money goes back", RECENT_ORDERS, NULL},
	{"returns fit their after-sales", RECENT_ORDERS, NULL},
	{"what is approved is paid back", RECENT_ORDERS, NULL},
	{"held and unmatched money", RECENT_ORDERS, NULL},
	{"pay types and trade numbers have one spelling", RECENT_ORDERS, NULL},
	{"cancels that a warehouse has not answered", RECENT_ORDERS, NULL},
	{"after-sales that wait", RECENT_ORDERS, NULL},
	{"requests have a hash and a result", RECENT_OWN, verify_requests_recent},
	{"sequences are ahead of their tables", RECENT_SAME, verify_sequences_recent}
};

static const Rule *
rule_of(const VerifyCheck *check)
{
	int			i;

	for (i = 0; i < (int) lengthof(rules); i++)
	{
		if (strcmp(rules[i].check, check->name) == 0)
			return &rules[i];
	}
	return NULL;
}

/* Warnings are always looked for; of errors, only what a rule says. */
RecentKind
recent_kind(const VerifyCheck *check)
{
	const Rule *rule = rule_of(check);

	if (rule != NULL)
		return rule->kind;
	return strcmp(check->invariant, "I15") == 0 || strcmp(check->invariant, "I17") == 0 ?
		RECENT_SAME : RECENT_NONE;
}

bool
recent_is_rewritten(const VerifyCheck *check)
{
	const Rule *rule = rule_of(check);

	return rule != NULL && rule->kind == RECENT_ORDERS && rule->sql == NULL;
}

const char *
recent_sql(const VerifyCheck *check)
{
	const Rule *rule = rule_of(check);

	if (rule != NULL && rule->sql != NULL)
		return rule->sql;
	return recent_is_rewritten(check) ? recent_rewrite(check->sql) : check->sql;
}

/* ---- the tables ---- */

/* A table and the query of its rows, in the order in which they build on each other. */
typedef struct RecentTable
{
	const char *name;
	const char *sql;
	bool		is_copy;		/* checks read it instead of the table whose name it has */
} RecentTable;

/* Rows by a key: a lookup for each, whatever the planner thinks of their number. */
#define BY_KEY(table, column, keys) \
	"SELECT t.* FROM (" keys ") AS listed (key)" \
	" CROSS JOIN LATERAL (SELECT * FROM order_ext_internal." table " x" \
	"  WHERE x." column " = listed.key OFFSET 0) t"

#define BY_ORDER(table) \
	{table, BY_KEY(table, "order_id", "SELECT order_id FROM recent_ids"), true}

/* The orders that rows of a machine belong to now. */
#define ORDERS_OF(machine, table, column) \
	" UNION SELECT o.order_id FROM (" BY_KEY(table, column, \
	"SELECT entity_id FROM recent_touched WHERE machine = " CODE(machine)) ") o"

#define ENTITIES_OF(machine, table, id) \
	" UNION SELECT " CODE(machine) ", " id " FROM " table

static const RecentTable tables[] = {
	{"recent_steps",
		"SELECT l.* FROM order_ext_internal.transition_log l"
	" WHERE l.at >= $1 AND NOT pg_visible_in_snapshot(l.xid, $2)", false},
	{"pending_keys", ALL_PENDING_KEYS, false},
	{"recent_touched",
	"SELECT DISTINCT machine, entity_id FROM recent_steps", false},
	{"recent_listed",
		"SELECT order_id FROM recent_steps UNION SELECT unnest($4)"
		ORDERS_OF(MACHINE_PAYMENT, "payments", "payment_id")
		ORDERS_OF(MACHINE_REFUND, "refunds", "refund_id")
		ORDERS_OF(MACHINE_AFTER_SALE, "after_sales", "after_sale_id")
	ORDERS_OF(MACHINE_COUPON, "coupons", "coupon_id"), false},
	/* and the orders that hold a coupon that one of these names */
	{"recent_ids",
		"SELECT order_id FROM recent_listed WHERE order_id IS NOT NULL"
		" UNION SELECT c.order_id FROM (" BY_KEY("coupons", "coupon_id",
												 "SELECT o.coupon_id FROM ("
												 BY_KEY("orders", "order_id",
														"SELECT order_id FROM recent_listed") ") o"
												 " WHERE o.coupon_id IS NOT NULL") ") c"
	" WHERE c.order_id IS NOT NULL", false},
	BY_ORDER("orders"),
	BY_ORDER("order_items"),
	BY_ORDER("payments"),
	BY_ORDER("refunds"),
	BY_ORDER("after_sales"),
	BY_ORDER("after_sale_items"),
	{"after_sale_events",
		BY_KEY("after_sale_events", "after_sale_id",
			   "SELECT after_sale_id FROM after_sales"),
	true},
	BY_ORDER("fulfilments"),
	BY_ORDER("fulfilment_documents"),
	BY_ORDER("shipment_events"),
	/* order 0 has all adjustments */
	{"stock_ledger",
		BY_KEY("stock_ledger", "order_id", "SELECT order_id FROM recent_ids WHERE order_id <> 0"),
	true},
	{"coupons",
		BY_KEY("coupons", "coupon_id",
			   "SELECT entity_id FROM recent_touched WHERE machine = " CODE(MACHINE_COUPON)
			   " UNION SELECT coupon_id FROM orders WHERE coupon_id IS NOT NULL"),
	true},
	{"transition_log",
		"SELECT t.* FROM (SELECT machine, entity_id FROM recent_touched"
		ENTITIES_OF(MACHINE_ORDER, "orders", "order_id")
		ENTITIES_OF(MACHINE_PAYMENT, "payments", "payment_id")
		ENTITIES_OF(MACHINE_AFTER_SALE, "after_sales", "after_sale_id")
		ENTITIES_OF(MACHINE_RETURN, "after_sales", "after_sale_id")
		ENTITIES_OF(MACHINE_REFUND, "refunds", "refund_id")
		ENTITIES_OF(MACHINE_COUPON, "coupons", "coupon_id")
		ENTITIES_OF(MACHINE_FULFILMENT, "fulfilments", "order_id")
		") e CROSS JOIN LATERAL (SELECT * FROM order_ext_internal.transition_log x"
	"  WHERE x.machine = e.machine AND x.entity_id = e.entity_id OFFSET 0) t", true}
};

static Store *stores[lengthof(tables)];

void
recent_args(const VerifyMark *mark, StoreArgs *args)
{
	memset(args, 0, sizeof(*args));
	args->n = 4;
	args->types[0] = args->types[2] = TIMESTAMPTZOID;
	args->types[1] = PG_SNAPSHOTOID;
	args->types[3] = INT8ARRAYOID;
	args->values[0] = TimestampTzGetDatum(mark->since);
	args->values[1] = mark->seen;
	args->values[2] = TimestampTzGetDatum(mark->unpaid_since);
	args->values[3] = mark->open_orders;
}

void
recent_begin(const VerifyMark *mark)
{
	StoreArgs	args;
	int			i;

	recent_args(mark, &args);
	for (i = 0; i < (int) lengthof(tables); i++)
		stores[i] = store_table(tables[i].name, tables[i].sql, &args);
}

void
recent_end(void)
{
	int			i;

	for (i = 0; i < (int) lengthof(tables); i++)
		store_end(stores[i]);
}

/* Whether the text begins with the name of a copied table. */
static bool
begins_with_copy(const char *text)
{
	int			i;

	for (i = 0; i < (int) lengthof(tables); i++)
	{
		size_t		length = strlen(tables[i].name);

		if (tables[i].is_copy && strncmp(text, tables[i].name, length) == 0 &&
			strspn(text + length, "abcdefghijklmnopqrstuvwxyz0123456789_") == 0)
			return true;
	}
	return false;
}

/* A table that is named without its schema is the one registered with SPI. */
char *
recent_rewrite(const char *sql)
{
	StringInfoData text;
	const char *next;

	initStringInfo(&text);
	while ((next = strstr(sql, INTERNAL)) != NULL)
	{
		const char *name = next + strlen(INTERNAL);

		appendBinaryStringInfo(&text, sql, next - sql);
		if (!begins_with_copy(name))
			appendStringInfoString(&text, INTERNAL);
		sql = name;
	}
	appendStringInfoString(&text, sql);
	return text.data;
}

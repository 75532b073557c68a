/*
 * outdated.c
 *		SQL texts for objects of an earlier version; see outdated.h.
 *
 * Between the installation of a new library and ALTER EXTENSION UPDATE, facts from outside must
 * get through. A column that a version has added has a default in the rows from before, so a text
 * that only reads it, or sets it to its default, can do without.
 */
#include "compat.h"

#include "lib/stringinfo.h"
#include "utils/lsyscache.h"

#include "core/internal.h"
#include "core/outdated.h"

typedef struct NewColumn
{
	const char *table;
	const char *column;
	const char *where;			/* what a text has that may be changed */
	const char *text;
	const char *instead;
} NewColumn;

#define REFUNDS "order_ext_internal.refunds r"
#define REFUNDS_SET "UPDATE order_ext_internal.refunds"
#define REFUNDS_NEW "INSERT INTO order_ext_internal.refunds"
#define PAY_TYPE_OF_REFUND \
	"(SELECT q.pay_type FROM order_ext_internal.payments q WHERE q.payment_id = r.payment_id)"
#define AFTER_SALES "order_ext_internal.after_sales a"
#define AFTER_SALE_ITEMS "order_ext_internal.after_sale_items s"

/* What a version has added is taken away before what the one before it has. */
static const NewColumn new_columns[] = {
	/* 0.7 */
	{"after_sale_items", "before", AFTER_SALE_ITEMS, "s.before", "0"},
	{"after_sale_items", "refunded", AFTER_SALE_ITEMS, "s.refunded", "0"},
	{"after_sale_items", "refused", AFTER_SALE_ITEMS, "s.refused", "0"},
	{"after_sale_items", "missing", AFTER_SALE_ITEMS, "s.missing", "0"},
	{"after_sale_items", "paid", AFTER_SALE_ITEMS, "s.paid", "0::bigint"},
	{"refunds", "pay_type", REFUNDS, "r.pay_type", PAY_TYPE_OF_REFUND},
	{"refunds", "pay_type", REFUNDS_NEW, ", fact_id, pay_type)", ", fact_id)"},
	{"refunds", "pay_type", REFUNDS_NEW, ", p.pay_type AS its_pay_type", ""},
	/* 0.6 */
	{"refunds", "fact_id", REFUNDS, "r.fact_id", "0::bigint"},
	{"refunds", "asked", REFUNDS, "r.asked", "NULL::bigint"},
	{"refunds", "claim_after", REFUNDS, "r.claim_after", "NULL::timestamptz"},
	{"refunds", "claim_after", REFUNDS_SET, " claim_after = NULL,", ""},
	{"refunds", "kept", REFUNDS, "r.kept", "false"},
	{"refunds", "kept", REFUNDS_SET, " kept = false,", ""},
	{"refunds", "reason", REFUNDS, "r.reason", "NULL::text"},
	{"refunds", "claim_after", REFUNDS_NEW, ", claim_after, fact_id)", ")"},
	{"refunds", "claim_after", REFUNDS_NEW, "p.currency, $7, 0", "p.currency"},
	{"refunds", "claim_after", REFUNDS_NEW, "p.currency, NULL, 0", "p.currency"},
	{"refunds", "claim_after", REFUNDS_NEW, "p.currency, NULL, $5", "p.currency"},
	{"refunds", "claim_after", REFUNDS_NEW, ", held, claim_after,", ", held,"},
	{"refunds", "claim_after", REFUNDS_NEW, "r.claim_after", "NULL::timestamptz"},
	{"refunds", "fact_id", REFUNDS_NEW, ", fact_id)", ")"},
	{"after_sales", "extra", AFTER_SALES, "a.extra", "0::bigint"},
	{"after_sales", "paid_outside", AFTER_SALES, "a.paid_outside", "0::bigint"},
};

static bool
is_missing(const NewColumn *new)
{
	Oid			relation = internal_relation_or_none(new->table);

	return OidIsValid(relation) &&
		get_attnum(relation, new->column) == InvalidAttrNumber;
}

/* A name that only begins like the text is another one. */
static const char *
find_text(const char *in, const char *text)
{
	size_t		length = strlen(text);
	const char *found = in;

	while ((found = strstr(found, text)) != NULL &&
		   (isalnum((unsigned char) found[length]) || found[length] == '_'))
		found++;
	return found;
}

static char *
replace_text(const char *sql, const char *text, const char *instead)
{
	StringInfoData result;
	const char *found;

	initStringInfo(&result);
	for (; (found = find_text(sql, text)) != NULL; sql = found + strlen(text))
	{
		appendBinaryStringInfo(&result, sql, found - sql);
		appendStringInfoString(&result, instead);
	}
	appendStringInfoString(&result, sql);
	return result.data;
}

char *
outdated_text(const char *sql)
{
	char	   *changed = NULL;
	int			i;

	for (i = 0; i < (int) lengthof(new_columns); i++)
	{
		const NewColumn *new = &new_columns[i];
		const char *text = changed != NULL ? changed : sql;

		if (strstr(text, new->where) != NULL && find_text(text, new->text) != NULL &&
			is_missing(new))
			changed = replace_text(text, new->text, new->instead);
	}
	return changed;
}

/*
 * assets.c
 *		Kinds of assets that applications have registered; see assets.h.
 */
#include "compat.h"

#include "catalog/pg_type.h"

#include "core/spi_util.h"
#include "machine/order/assets.h"

static SavedPlan read_registered = SAVED_PLAN_NO_ARGS(
	"SELECT kind, topic_id FROM order_ext_internal.assets WHERE NOT builtin ORDER BY kind");

static SavedPlan read_user = SAVED_PLAN(
	"SELECT 'asset ' || pg_catalog.quote_ident(kind)"
	" FROM order_ext_internal.assets WHERE topic_id = $1 ORDER BY kind LIMIT 1",
	INT4OID);

int
assets_read(Asset **assets)
{
	int			n = (int) plan_query(&read_registered, NULL, NULL, 0);
	int			i;

	*assets = palloc(sizeof(Asset) * (n + 1));
	for (i = 0; i < n; i++)
	{
		(*assets)[i].kind = row_text(i, 1);
		(*assets)[i].topic_id = row_int32(i, 2);
	}
	return n;
}

char *
assets_user_of_topic(int32 topic_id)
{
	Datum		value = Int32GetDatum(topic_id);

	return plan_query(&read_user, &value, NULL, 0) > 0 ? row_text(0, 1) : NULL;
}

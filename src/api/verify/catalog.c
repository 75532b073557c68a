/*
 * catalog.c
 *		Checks of the catalog: I15; see queries.c.
 */
#include "compat.h"

#include "api/verify/catalog.h"
#include "core/spelling.h"

/* Spellings from before version 0.6 that the update has kept. */
const char	verify_catalog_regions[] =
	"SELECT 'warning', format('region %s', quote_literal(f.region)),"
	" format('one spelling, %s: put_freight or remove_freight',"
	"  quote_literal(" SPELLING_CODE_SQL("f.region") ")),"
	" format('kept beside others: %s %s', f.fee, f.currency)"
	" FROM order_ext_internal.freight_templates f"
	" WHERE f.region <> " SPELLING_CODE_SQL("f.region");

const char	verify_catalog_channels[] =
	"SELECT 'warning', format('channel %s', quote_literal(c.channel)),"
	" format('one spelling, %s: set_channel', quote_literal(" SPELLING_CODE_SQL("c.channel") ")),"
	" format('kept beside others: %s', CASE WHEN c.external THEN 'external' ELSE 'own' END)"
	" FROM order_ext_internal.channels c"
	" WHERE c.channel <> " SPELLING_CODE_SQL("c.channel");

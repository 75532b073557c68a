/*
 * sequences_in_use.c
 *		Sequences and the numbers in use; see sequences_in_use.h.
 */
#include "compat.h"

#include "core/internal.h"
#include "core/spi_util.h"
#include "machine/sequences_in_use.h"

#define NEWEST_IN_SEGMENT(n) \
	"(SELECT max(m.message_id) FROM order_ext_internal.topics t CROSS JOIN LATERAL (" \
	" SELECT l.message_id FROM order_ext_internal.message_log_" n " l" \
	" WHERE l.topic_id = t.topic_id ORDER BY l.xid DESC, l.message_id DESC LIMIT 1) m)"

#define NEWEST_MESSAGE_IDS \
	NEWEST_IN_SEGMENT("0") "," NEWEST_IN_SEGMENT("1") "," \
	NEWEST_IN_SEGMENT("2") "," NEWEST_IN_SEGMENT("3")

#define RAISE(in_use) \
	"WITH s AS (" in_use ")" \
	" SELECT setval(c.oid, s.newest) FROM s" \
	" JOIN pg_class c ON c.relnamespace = 'order_ext_internal'::regnamespace" \
	"  AND c.relname = s.sequence" \
	" WHERE s.newest > coalesce(pg_sequence_last_value(c.oid), 0)"

static SavedPlan raise_newest = SAVED_PLAN_NO_ARGS(RAISE(SEQUENCES_IN_USE(NEWEST_MESSAGE_IDS)));
static SavedPlan raise_all = SAVED_PLAN_NO_ARGS(RAISE(ALL_SEQUENCES_IN_USE));

/* SQL objects of an older version lack some of the tables. */
void
sequences_raise_used(bool all)
{
	if (!OidIsValid(internal_relation_or_none("timers_moved")))
		return;
	(void) plan_query(all ? &raise_all : &raise_newest, NULL, NULL, 0);
}

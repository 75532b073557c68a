/*
 * leases.c
 *		Groups of external consumers; see leases.h.
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/acl.h"

#include "core/error_facts.h"
#include "core/locks.h"
#include "core/spi_util.h"
#include "message/base/wake.h"
#include "message/lease/leases.h"

static SavedPlan leases_become_retries = SAVED_PLAN(
	"WITH ended AS (DELETE FROM order_ext_internal.leases WHERE group_id = $1 RETURNING *)"
	" INSERT INTO order_ext_internal.retries (message_id, group_id, topic_id, key, published_at,"
	"  due_at, attempts, busy, payload, last_error, last_sqlstate)"
	" SELECT l.message_id, l.group_id, l.topic_id, l.key, l.published_at,"
	"  coalesce(r.lease_until, clock_timestamp()), l.attempt, 0, l.payload, NULL, NULL"
	" FROM ended l"
	" LEFT JOIN order_ext_internal.lease_receipts r ON r.receipt = l.until_receipt",
	INT4OID);

static SavedPlan delete_receipts = SAVED_PLAN(
	"DELETE FROM order_ext_internal.lease_receipts WHERE group_id = $1",
	INT4OID);

ConsumerGroup *
leases_open_group(const char *name)
{
	const ConsumerGroup *cached = catalog_group_by_name(name);
	ConsumerGroup *group;
	Oid			role;

	if (cached == NULL)
		catalog_refuse_unknown_group(name);
	if (!catalog_group_is_external(cached))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("consumer group \"%s\" has a handler", name),
				 error_facts(cached->handler != NULL
							 ? "Its messages are delivered to {handler}."
							 : "Its messages are delivered to order_ext's own handler.",
							 FACT_TEXT("consumer_group", name),
							 FACT_TEXT("handler", cached->handler)),
				 errhint("Subscribe a consumer group without a handler.")));
	group = palloc(sizeof(ConsumerGroup));
	catalog_group_copy(cached, group);

	role = bound_role(&group->run_as);
	if (!superuser() && (!OidIsValid(role) || !has_privs_of_role(GetUserId(), role)))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for consumer group \"%s\" of role \"%s\"", name,
						group->run_as.name != NULL ? group->run_as.name : ""),
				 OidIsValid(role)
				 ? error_facts("Role \"{caller}\" is not a member of that role.",
							   FACT_TEXT("consumer_group", name),
							   FACT_TEXT("role", group->run_as.name),
							   FACT_TEXT("caller", GetUserNameFromId(GetUserId(), false)))
				 : error_facts("The reason is that {reason}.",
							   FACT_TEXT("consumer_group", name),
							   FACT_TEXT("role", group->run_as.name),
							   FACT_TEXT("reason", bound_role_absence(&group->run_as))),
				 OidIsValid(role)
				 ? errhint("Only members of that role may consume its messages.")
				 : errhint("Have an operator call order_ext.subscribe() again with option "
						   "\"run_as\".")));
	return group;
}

void
leases_to_retries(int32 group_id)
{
	const ConsumerGroup *group = catalog_group_by_id(group_id);
	Datum		value = Int32GetDatum(group_id);

	lock_wait(LOCK_CONSUMERS, group_id);	/* no process is about to lease more */
	plan_write(&leases_become_retries, &value, NULL, 0);
	plan_write(&delete_receipts, &value, NULL, 0);
	if (group != NULL)
		wake_note_topic(group->topic_id);
}

/*
 * group_rights.c
 *		Who may change which consumer group; see group_rights.h.
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/acl.h"

#include "core/error_facts.h"
#include "core/spi_util.h"
#include "message/base/catalog.h"
#include "message/base/topic_rights.h"
#include "message/verbs/group_rights.h"

static SavedPlan find_subscriber = SAVED_PLAN(
	"SELECT coalesce(subscriber_oid, 0)::bigint, subscriber FROM order_ext_internal.consumer_groups"
	" WHERE group_id = $1",
	INT4OID);

void
group_rights_refuse_builtin(const char *name)
{
	const Topic *topic = catalog_topic_by_name(name);
	const ConsumerGroup *group = catalog_group_by_name(name);

	if (group != NULL && group->adapted)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("consumer group \"%s\" belongs to a gateway", name),
				 errhint("Use order_ext.set_gateway(), or choose another name.")));
	if (topic != NULL && topic->builtin)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("consumer group \"%s\" is built in", name),
				 error_facts("It reads the topic of the same name for order_ext itself.",
							 FACT_TEXT("consumer_group", name), FACT_TEXT("topic", name)),
				 errhint("Choose another name; your own consumer groups may read any topic.")));
}

void
group_rights_require(Oid role, int32 group_id, const char *group)
{
	Datum		value = Int32GetDatum(group_id);
	Oid			subscriber = InvalidOid;
	char	   *name = NULL;

	if (topic_rights_is_operator(role))
		return;
	if (plan_query(&find_subscriber, &value, NULL, 0) > 0)
	{
		subscriber = (Oid) row_int64(0, 1);
		name = row_text(0, 2);
	}
	if (OidIsValid(subscriber) && has_privs_of_role(role, subscriber))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied to change consumer group \"%s\" as role \"%s\"",
					group, GetUserNameFromId(role, false)),
			 error_facts(name == NULL
						 ? "It was subscribed by a superuser."
						 : "It was subscribed by role \"{owner}\".",
						 FACT_TEXT("consumer_group", group),
						 FACT_TEXT("role", GetUserNameFromId(role, false)),
						 FACT_TEXT("owner", name)),
			 errhint("Choose another name, or ask that role or an operator.")));
}

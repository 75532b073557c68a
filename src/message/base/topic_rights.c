/*
 * topic_rights.c
 *		Who may do what with a topic; see topic_rights.h.
 *
 * topic_grants binds roles by their OIDs (bound_roles.h).
 */
#include "compat.h"

#include "catalog/namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "core/error_facts.h"
#include "message/base/table_reader.h"
#include "message/base/topic_rights.h"

/* Columns of topic_grants. */
enum
{
	GRANT_TOPIC_ID = 1, GRANT_ROLE_OID, GRANT_PRIVILEGE
};

/* Privileges in topic_grants.privilege, in the order of the bits. */
static const char *const privilege_words[] = {"publish", "subscribe", "cancel", "owner", NULL};

/* ---- loading ---- */

static int
privilege_by_word(const char *word)
{
	int			i;

	for (i = 0; privilege_words[i] != NULL; i++)
	{
		if (strcmp(word, privilege_words[i]) == 0)
			return 1 << i;
	}
	return 0;
}

static Topic *
find_topic(Topic *topics, int n_topics, int32 topic_id)
{
	int			low = 0;
	int			high = n_topics;

	while (low < high)
	{
		int			middle = low + (high - low) / 2;

		if (topics[middle].id < topic_id)
			low = middle + 1;
		else
			high = middle;
	}
	return low < n_topics && topics[low].id == topic_id ? &topics[low] : NULL;
}

static void
add_grant(Topic *topic, Oid role, int privilege)
{
	int			i;

	for (i = 0; i < topic->n_grants && topic->grants[i].role != role; i++)
		;
	if (i == topic->n_grants)
	{
		Size		bytes = sizeof(TopicGrant) * ++topic->n_grants;

		topic->grants = i == 0 ? palloc(bytes) : repalloc(topic->grants, bytes);
		topic->grants[i].role = role;
		topic->grants[i].privileges = 0;
	}
	topic->grants[i].privileges |= privilege;
	if (privilege == TOPIC_OWN)
		topic->grants[i].privileges |= TOPIC_PUBLISH | TOPIC_SUBSCRIBE | TOPIC_CANCEL;
}

void
topic_rights_load(Oid grants, Topic *topics, int n_topics)
{
	TableReader reader;
	int			i;

	for (i = 0; i < n_topics; i++)
	{
		topics[i].grants = NULL;
		topics[i].n_grants = 0;
		topics[i].has_rights = OidIsValid(grants);
	}
	if (!OidIsValid(grants))
		return;
	table_reader_open(&reader, grants);
	while (table_reader_next(&reader))
	{
		int32		topic_id = DatumGetInt32(reader.values[GRANT_TOPIC_ID]);
		Topic	   *topic = find_topic(topics, n_topics, topic_id);
		Oid			role = DatumGetObjectId(reader.values[GRANT_ROLE_OID]);

		if (topic != NULL && OidIsValid(role))
			add_grant(topic, role, privilege_by_word(table_reader_text(&reader, GRANT_PRIVILEGE)));
	}
	table_reader_close(&reader);
}

/* ---- asking ---- */

/* Asked for every message that is published: what costs least comes first. */
static bool
role_has(const Topic *topic, Oid role, int privileges)
{
	int			i;

	if (!topic->has_rights)
		return true;
	for (i = 0; i < topic->n_grants; i++)
	{
		if (topic->grants[i].role == role && (topic->grants[i].privileges & privileges) != 0)
			return true;
	}
	if (superuser_arg(role))
		return true;
	for (i = 0; i < topic->n_grants; i++)
	{
		if ((topic->grants[i].privileges & privileges) != 0 &&
			has_privs_of_role(role, topic->grants[i].role))
			return true;
	}
	return false;
}

/* The role that owns it; NULL if there is none any more. */
static char *
owner_name(const Topic *topic)
{
	int			i;

	for (i = 0; i < topic->n_grants; i++)
	{
		char	   *name = GetUserNameFromId(topic->grants[i].role, true);

		if (name != NULL && (topic->grants[i].privileges & TOPIC_OWN) != 0)
			return name;
	}
	return NULL;
}

void
topic_require(const Topic *topic, Oid role, int privilege)
{
	const char *owner;
	int			i = 0;

	if (role_has(topic, role, privilege))
		return;
	while ((1 << i) != privilege)
		i++;
	owner = owner_name(topic);
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied for topic \"%s\"", topic->name),
			 error_facts(owner != NULL
						 ? "Role \"{role}\" does not have privilege \"{privilege}\" on it. It "
						 "belongs to role \"{owner}\"."
						 : "Role \"{role}\" does not have privilege \"{privilege}\" on it. Its "
						 "owner no longer exists.",
						 FACT_TEXT("topic", topic->name),
						 FACT_TEXT("role", GetUserNameFromId(role, false)),
						 FACT_TEXT("privilege", privilege_words[i]), FACT_TEXT("owner", owner)),
			 errhint("Ask its owner or an operator for order_ext.grant_topic(%s, %s, '%s').",
					 quote_literal_cstr(topic->name),
					 quote_literal_cstr(quote_identifier(GetUserNameFromId(role, false))),
					 privilege_words[i])));
}

void
topic_require_control(const Topic *topic, Oid role)
{
	const char *owner;

	if (role_has(topic, role, TOPIC_OWN) || topic_rights_is_operator(role))
		return;
	owner = owner_name(topic);
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("must be owner of topic \"%s\"", topic->name),
			 error_facts(owner != NULL
						 ? "It belongs to role \"{owner}\"."
						 : "Its owner no longer exists.",
						 FACT_TEXT("topic", topic->name),
						 FACT_TEXT("role", GetUserNameFromId(role, false)),
						 FACT_TEXT("owner", owner)),
			 errhint("Its owner and operators can do that.")));
}

/*
 * Of what operators call, pause() is about groups of anybody and nothing else: not what one
 * would give an application, for topics of its own, beside the kinds of grant_to().
 */
bool
topic_rights_is_operator(Oid role)
{
	Oid			argument = TEXTOID;
	Oid			function = GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid,
										   CStringGetDatum("pause"),
										   PointerGetDatum(buildoidvector(&argument, 1)),
										   ObjectIdGetDatum(get_namespace_oid("order_ext", false)));

	return superuser_arg(role) || (OidIsValid(function) && may_execute(function, role));
}

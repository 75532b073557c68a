/*
 * journal.c
 *		Transition log rows and messages of a unit of work; see journal.h.
 */
#include "compat.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#include "core/alert.h"
#include "core/append.h"
#include "core/call.h"
#include "core/jsonb_build.h"
#include "machine/base/journal.h"

typedef struct LogRow
{
	int64		entity_id;
	int64		order_id;
	int32		version;
	Machine		machine;
	const Edge *edge;
	char		actor;
	Jsonb	   *detail;
} LogRow;

struct Journal
{
	TimestampTz at;
	LogRow	   *rows;
	int			n_rows;
	int			max_rows;
	MessageDraft *messages;
	int			n_messages;
	int			max_messages;
};

#define JOURNAL_FIRST_SIZE 8

Journal *
journal_begin(TimestampTz at)
{
	Journal    *journal = palloc0(sizeof(Journal));

	journal->at = at;
	journal->max_rows = journal->max_messages = JOURNAL_FIRST_SIZE;
	journal->rows = palloc(sizeof(LogRow) * journal->max_rows);
	journal->messages = palloc(sizeof(MessageDraft) * journal->max_messages);
	return journal;
}

TimestampTz
journal_time(const Journal *journal)
{
	return journal->at;
}

void
journal_transition(Journal *journal, Machine machine, const Edge *edge,
				   int64 entity_id, int64 order_id, int32 version,
				   char actor, Jsonb *detail)
{
	LogRow	   *row;

	Assert(strchr(edge->actors, actor) != NULL);
	if (journal->n_rows == journal->max_rows)
	{
		journal->max_rows *= 2;
		journal->rows = repalloc(journal->rows, sizeof(LogRow) * journal->max_rows);
	}
	row = &journal->rows[journal->n_rows++];
	row->entity_id = entity_id;
	row->order_id = order_id;
	row->version = version;
	row->machine = machine;
	row->edge = edge;
	row->actor = actor;
	row->detail = detail;
}

JsonbBuilder *
journal_payload(int64 order_id, int64 user_id, int32 version)
{
	JsonbBuilder *payload = jsonb_object_begin();

	jsonb_add_id(payload, "order_id", order_id);
	if (user_id != 0)
		jsonb_add_id(payload, "user_id", user_id);
	else
		jsonb_add_text(payload, "user_id", NULL);
	jsonb_add_int(payload, "version", version);
	return payload;
}

void
journal_message(Journal *journal, BuiltinTopic topic, int64 key, Jsonb *payload)
{
	MessageDraft *draft;

	if (journal->n_messages == journal->max_messages)
	{
		journal->max_messages *= 2;
		journal->messages = repalloc(journal->messages,
									 sizeof(MessageDraft) * journal->max_messages);
	}
	draft = &journal->messages[journal->n_messages++];
	draft->topic_id = topic;
	draft->key = key;
	draft->payload = payload;
	draft->message_id = 0;
}

Jsonb *
journal_alert(Journal *journal, int64 key, const char *kind, const char *reason,
			  JsonbBuilder *payload)
{
	Jsonb	   *alert;

	if (reason != NULL)
		jsonb_add_text(payload, "reason", reason);
	alert = alert_end(payload, kind);
	journal_message(journal, TOPIC_OPS_ALERT, key, alert);
	return alert;
}

void
journal_edge_messages(Journal *journal, const Edge *edge, int64 order_id, int64 user_id,
					  int32 version, Jsonb *first)
{
	Jsonb	   *standard = NULL;
	int			i;

	for (i = 0; i < MAX_EDGE_MESSAGES && edge->messages[i] != 0; i++)
	{
		if (standard == NULL && (i > 0 || first == NULL))
			standard = jsonb_object_end(journal_payload(order_id, user_id, version));
		journal_message(journal, edge->messages[i], order_id,
						i == 0 && first != NULL ? first : standard);
	}
}

/* Where nobody is stated, this costs no byte. */
static Jsonb *
with_operator(Jsonb *detail, const char *operator)
{
	JsonbBuilder *builder = jsonb_object_begin();
	Jsonb	   *stated;

	jsonb_add_text(builder, "operator", operator);
	stated = jsonb_object_end(builder);
	if (detail == NULL)
		return stated;
	return DatumGetJsonbP(DirectFunctionCall2(jsonb_concat, JsonbPGetDatum(detail),
											  JsonbPGetDatum(stated)));
}

static void
append_log_rows(const Journal *journal)
{
	Appender   *log = append_open("transition_log");
	Datum		role = CStringGetTextDatum(GetUserNameFromId(call_role(), false));
	const char *operator = call_operator();
	FullTransactionId xid = GetTopFullTransactionId();
	int			i;

	for (i = 0; i < journal->n_rows; i++)
	{
		const LogRow *row = &journal->rows[i];
		Datum		values[12];
		bool		nulls[12] = {false};

		values[0] = Int64GetDatum(row->entity_id);
		values[1] = Int64GetDatum(row->order_id);
		values[2] = TimestampTzGetDatum(journal->at);
		values[3] = UInt64GetDatum(U64FromFullTransactionId(xid));
		values[4] = Int32GetDatum(row->version);
		values[5] = Int16GetDatum(row->machine);
		values[6] = Int16GetDatum(row->edge->from);
		values[7] = Int16GetDatum(row->edge->to);
		values[8] = Int16GetDatum(row->edge->event);
		values[9] = CharGetDatum(row->actor);
		values[10] = role;
		values[11] = PointerGetDatum(operator == NULL ? row->detail
									 : with_operator(row->detail, operator));
		nulls[11] = (row->detail == NULL && operator == NULL);
		append_row(log, values, nulls);
	}
	append_close(log);
}

void
journal_write(Journal *journal)
{
	if (journal->n_rows > 0)
		append_log_rows(journal);
	if (journal->n_messages > 0)
		message_publish(journal->messages, journal->n_messages);
	journal->n_rows = 0;
	journal->n_messages = 0;
}

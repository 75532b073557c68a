/*
 * graph.c
 *		The transition tables for human readers: state_graph(), state_diagram(), status_code(),
 *		codes().
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

#include "core/args.h"
#include "core/error_facts.h"
#include "core/spi_util.h"
#include "machine/base/machine.h"
#include "machine/base/topics.h"

static const MachineTable *
arg_machine(FunctionCallInfo fcinfo, int n)
{
	char	   *name = arg_text(fcinfo, n, "machine", 64);
	const MachineTable *table = machine_by_name(name);

	if (table == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value for argument \"machine\": \"%s\"", name),
				 error_facts(NULL, FACT_TEXT("argument", "machine"), FACT_TEXT("value", name)),
				 errhint("Valid values are order, payment, after_sale, return, refund, coupon, "
						 "fulfilment.")));
	return table;
}

PG_FUNCTION_INFO_V1(order_ext_status_code);
Datum
order_ext_status_code(PG_FUNCTION_ARGS)
{
	const MachineTable *table = arg_machine(fcinfo, 0);
	char	   *name = arg_text(fcinfo, 1, "name", 64);
	int16		code = machine_status_code(table->machine, name);

	if (code == STATUS_NONE)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value for argument \"name\": \"%s\"", name),
				 error_facts("State machine \"{machine}\" has no such status.",
							 FACT_TEXT("argument", "name"), FACT_TEXT("value", name),
							 FACT_TEXT("machine", table->name)),
				 errhint("state_graph('%s') shows its statuses.", table->name)));
	PG_RETURN_INT32(code);
}

PG_FUNCTION_INFO_V1(order_ext_status_name);
Datum
order_ext_status_name(PG_FUNCTION_ARGS)
{
	const MachineTable *table = arg_machine(fcinfo, 0);
	const char *name = machine_status_name(table->machine, PG_GETARG_INT16(1));

	if (name == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(name));
}

PG_FUNCTION_INFO_V1(order_ext_event_name);
Datum
order_ext_event_name(PG_FUNCTION_ARGS)
{
	const char *name = machine_event_name(PG_GETARG_INT16(1));

	if (name == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(name));
}

static const char *
actor_words(const char *actors)
{
	StringInfoData words;
	const char *actor;

	initStringInfo(&words);
	for (actor = actors; *actor; actor++)
	{
		if (words.len > 0)
			appendStringInfoString(&words, ", ");
		switch (*actor)
		{
			case ACTOR_BUYER:
				appendStringInfoString(&words, "buyer");
				break;
			case ACTOR_STAFF:
				appendStringInfoString(&words, "staff");
				break;
			case ACTOR_GATEWAY:
				appendStringInfoString(&words, "gateway");
				break;
			case ACTOR_WAREHOUSE:
				appendStringInfoString(&words, "warehouse");
				break;
			case ACTOR_SYSTEM:
				appendStringInfoString(&words, "system");
				break;
		}
	}
	return words.data;
}

/* Where a code has no name, which test/sql/160_codes.sql reports, its number. */
static const char *
name_or_number(const char *name, int code)
{
	return name != NULL ? name : psprintf("%d", code);
}

static const char *
status_or_number(const MachineTable *table, int16 status)
{
	return name_or_number(machine_status_name(table->machine, status), status);
}

static const char *
event_or_number(Event event)
{
	return name_or_number(machine_event_name(event), event);
}

static const char *
topic_or_number(int32 topic_id)
{
	return name_or_number(topic_builtin_name(topic_id), topic_id);
}

/* The topics of an edge; the optional one last. */
static Datum
edge_topics(const Edge *edge)
{
	const char *names[MAX_EDGE_MESSAGES + 1];
	int			n = 0;

	while (n < MAX_EDGE_MESSAGES && edge->messages[n] != 0)
	{
		names[n] = topic_or_number(edge->messages[n]);
		n++;
	}
	if (edge->optional != 0)
		names[n++] = topic_or_number(edge->optional);
	return text_array(names, n);
}

PG_FUNCTION_INFO_V1(order_ext_state_graph);
Datum
order_ext_state_graph(PG_FUNCTION_ARGS)
{
	const MachineTable *table = arg_machine(fcinfo, 0);
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	const Edge *edge;

	InitMaterializedSRF(fcinfo, 0);
	for (edge = table->edges; edge->event != 0; edge++)
	{
		Datum		values[6] = {0};
		bool		nulls[6] = {false};

		nulls[0] = edge->from == STATUS_NONE;
		if (!nulls[0])
			values[0] = CStringGetTextDatum(status_or_number(table, edge->from));
		values[1] = CStringGetTextDatum(status_or_number(table, edge->to));
		values[2] = CStringGetTextDatum(event_or_number(edge->event));
		values[3] = CStringGetTextDatum(actor_words(edge->actors));
		values[4] = CStringGetTextDatum(edge->guard);
		values[5] = edge_topics(edge);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(order_ext_state_diagram);
Datum
order_ext_state_diagram(PG_FUNCTION_ARGS)
{
	const MachineTable *table = arg_machine(fcinfo, 0);
	const Edge *edge;
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfoString(&text, "stateDiagram-v2\n");
	for (edge = table->edges; edge->event != 0; edge++)
		appendStringInfo(&text, "    %s --> %s: %s (%s)\n",
						 edge->from == STATUS_NONE ? "[*]" : status_or_number(table, edge->from),
						 status_or_number(table, edge->to),
						 event_or_number(edge->event),
						 actor_words(edge->actors));
	PG_RETURN_TEXT_P(cstring_to_text_with_len(text.data, text.len));
}

/* ---- codes() ---- */

static void
put_code(ReturnSetInfo *rsinfo, const char *set, int32 code, const char *name)
{
	Datum		values[3] = {CStringGetTextDatum(set), Int32GetDatum(code),
	CStringGetTextDatum(name)};
	bool		nulls[3] = {false};

	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

static void
put_codes(ReturnSetInfo *rsinfo, const char *set, const CodeName *codes)
{
	for (; codes->name != NULL; codes++)
		put_code(rsinfo, set, codes->code, codes->name);
}

PG_FUNCTION_INFO_V1(order_ext_codes);
Datum
order_ext_codes(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	int			n;
	const MachineTable *tables = machine_tables(&n);
	int			i;

	InitMaterializedSRF(fcinfo, 0);
	for (i = 0; i < n; i++)
	{
		put_code(rsinfo, "machine", tables[i].machine, tables[i].name);
		put_codes(rsinfo, psprintf("%s_status", tables[i].name), tables[i].statuses);
	}
	for (i = 0; i < CODE_SETS; i++)
	{
		const char *name;
		const CodeName *codes = codes_of_set((CodeSet) i, &name);

		put_codes(rsinfo, name, codes);
	}
	for (i = 1; i < BUILTIN_TOPICS_END; i++)
	{
		put_code(rsinfo, "topic", i, topic_or_number(i));
		if (builtin_handler_of(i) != NULL)
			put_code(rsinfo, "handler", i, topic_or_number(i));
	}
	return (Datum) 0;
}

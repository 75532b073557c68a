/*
 * error_facts.c
 *		DETAIL of an error, for people or for programs; see error_facts.h.
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "utils/datetime.h"
#include "utils/json.h"
#include "utils/timestamp.h"

#include "core/error_facts.h"
#include "core/settings.h"

/* ---- for programs ---- */

static void
append_value(StringInfo json, const ErrorFact *fact)
{
	char		time[MAXDATELEN + 1];

	switch (fact->kind)
	{
		case ERROR_FACT_ID:
			appendStringInfo(json, "\"" INT64_FORMAT "\"", fact->number);
			break;
		case ERROR_FACT_INT:
			appendStringInfo(json, INT64_FORMAT, fact->number);
			break;
		case ERROR_FACT_TEXT:
			if (fact->text != NULL)
				escape_json(json, fact->text);
			else
				appendStringInfoString(json, "null");
			break;
		case ERROR_FACT_TIME:
			JsonEncodeDateTime(time, TimestampTzGetDatum(fact->number), TIMESTAMPTZOID, NULL);
			escape_json(json, time);
			break;
		case ERROR_FACT_LIST:
			appendStringInfo(json, "[%s]",
							 fact->list->elements.data != NULL ? fact->list->elements.data : "");
			break;
		case ERROR_FACT_END:
			break;
	}
}

static void
append_object(StringInfo json, const ErrorFact *facts)
{
	const ErrorFact *fact;

	appendStringInfoChar(json, '{');
	for (fact = facts; fact->kind != ERROR_FACT_END; fact++)
	{
		if (fact > facts)
			appendStringInfoString(json, ", ");
		escape_json(json, fact->key);
		appendStringInfoString(json, ": ");
		append_value(json, fact);
	}
	appendStringInfoChar(json, '}');
}

/* ---- for people ---- */

static void
append_words(StringInfo text, const ErrorFact *fact)
{
	switch (fact->kind)
	{
		case ERROR_FACT_ID:
		case ERROR_FACT_INT:
			appendStringInfo(text, INT64_FORMAT, fact->number);
			break;
		case ERROR_FACT_TEXT:
			appendStringInfoString(text, fact->text != NULL ? fact->text : "null");
			break;
		case ERROR_FACT_TIME:
			appendStringInfoString(text, timestamptz_to_str(fact->number));
			break;
		case ERROR_FACT_LIST:
			if (fact->list->words.data != NULL)
				appendStringInfoString(text, fact->list->words.data);
			break;
		case ERROR_FACT_END:
			break;
	}
}

/* {key} becomes the fact's value; the values themselves are not looked into. */
static void
append_sentence(StringInfo text, const char *sentence, const ErrorFact *facts)
{
	const char *rest = sentence;
	const char *open;

	while ((open = strchr(rest, '{')) != NULL)
	{
		size_t		length = strcspn(open + 1, "}");
		const ErrorFact *fact = facts;

		while (fact->kind != ERROR_FACT_END && (strlen(fact->key) != length ||
												strncmp(fact->key, open + 1, length) != 0))
			fact++;
		Assert(fact->kind != ERROR_FACT_END);
		appendBinaryStringInfo(text, rest, open - rest);
		append_words(text, fact);
		rest = open + 1 + length + 1;
	}
	appendStringInfoString(text, rest);
}

/* ---- both ---- */

int
error_facts_detail(const char *sentence, const ErrorFact *facts)
{
	StringInfoData detail;

	initStringInfo(&detail);
	if (setting_error_detail == ERROR_DETAIL_JSON)
		append_object(&detail, facts);
	else if (sentence != NULL)
		append_sentence(&detail, sentence, facts);
	else
		return 0;
	return errdetail_internal("%s", detail.data);
}

int
error_facts_again(const char *detail)
{
	return detail != NULL ? errdetail_internal("%s", detail) : 0;
}

void
error_facts_append(ErrorFactList *list, const char *separator, const char *sentence,
				   const ErrorFact *facts)
{
	if (list->words.data == NULL)
	{
		initStringInfo(&list->words);
		initStringInfo(&list->elements);
	}
	else
	{
		appendStringInfoString(&list->words, separator);
		appendStringInfoString(&list->elements, ", ");
	}
	append_sentence(&list->words, sentence, facts);
	if (facts->key[0] == '\0')
		append_value(&list->elements, facts);
	else
		append_object(&list->elements, facts);
}

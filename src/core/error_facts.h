/*
 * error_facts.h
 *		DETAIL of an error: a sentence for people or, with order_ext.error_detail = json, an object
 *		for programs, both from the same values.
 *
 *		ereport(ERROR,
 *				(errcode(ERRCODE_OE_WRONG_STATUS),
 *				 errmsg("order " INT64_FORMAT " cannot be paid", order_id),
 *				 error_facts("Its status is \"{status}\".",
 *							 FACT_TEXT("status", status), FACT_ID("order_id", order_id)),
 *				 errhint("...")));
 *
 * In the sentence, {key} stands for a fact; the object has all of them, in this order. Without a
 * sentence (NULL) there is no DETAIL but the object. docs/reference.md lists the keys of each
 * SQLSTATE, and script/check-style compares.
 */
#ifndef ORDER_EXT_ERROR_FACTS_H
#define ORDER_EXT_ERROR_FACTS_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "lib/stringinfo.h"

typedef enum ErrorFactKind
{
	ERROR_FACT_END,
	ERROR_FACT_ID,				/* in JSON a string of digits, as in payloads */
	ERROR_FACT_INT,
	ERROR_FACT_TEXT,			/* NULL becomes null */
	ERROR_FACT_TIME,
	ERROR_FACT_LIST
} ErrorFactKind;

/* A list of texts, numbers or objects: in the sentence its words, in JSON an array. */
typedef struct ErrorFactList
{
	StringInfoData words;
	StringInfoData elements;
} ErrorFactList;

typedef struct ErrorFact
{
	const char *key;
	ErrorFactKind kind;
	int64		number;
	const char *text;
	const ErrorFactList *list;
} ErrorFact;

#define FACT_ID(k, v)		{.key = (k), .kind = ERROR_FACT_ID, .number = (v)}
#define FACT_INT(k, v)		{.key = (k), .kind = ERROR_FACT_INT, .number = (v)}
#define FACT_TEXT(k, v)		{.key = (k), .kind = ERROR_FACT_TEXT, .text = (v)}
#define FACT_TIME(k, v)		{.key = (k), .kind = ERROR_FACT_TIME, .number = (v)}
#define FACT_LIST(k, v)		{.key = (k), .kind = ERROR_FACT_LIST, .list = (v)}

#define ERROR_FACTS(...)	((const ErrorFact[]) {__VA_ARGS__, {.kind = ERROR_FACT_END}})

/* In an ereport(): its DETAIL. */
#define error_facts(sentence, ...)	error_facts_detail((sentence), ERROR_FACTS(__VA_ARGS__))
extern int	error_facts_detail(const char *sentence, const ErrorFact *facts);

/* In an ereport(): the DETAIL, or NULL, of an error that is raised once more. */
extern int	error_facts_again(const char *detail);

/*
 * Add an element to a list that is {0} at first, in the sentence separated by the given words. It
 * is an object of the facts or, if the only fact has the key "", its value.
 */
#define error_facts_add(to, sep, s, ...)	error_facts_append(to, sep, s, ERROR_FACTS(__VA_ARGS__))
extern void error_facts_append(ErrorFactList *list, const char *separator, const char *sentence,
							   const ErrorFact *facts);

#endif							/* ORDER_EXT_ERROR_FACTS_H */

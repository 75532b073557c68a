/*
 * member.c
 *		Members of jsonb objects; see member.h.
 */
#include "compat.h"

#include "mb/pg_wchar.h"

#include "api/member.h"
#include "core/error_facts.h"
#include "core/spelling.h"

/* At most this many bytes of an unknown key are shown. */
#define SHOWN_KEY_BYTES 64

void
member_raise_malformed(const char *argument, const char *what)
{
	bool		items = strcmp(argument, "items") == 0;
	bool		lines = strcmp(argument, "lines") == 0;

	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("argument \"%s\" is malformed: %s", argument, what),
			 error_facts(NULL, FACT_TEXT("argument", argument)),
			 items ? errhint("The format is [{\"sku\": \"A-1\", \"quantity\": 2}, ...].") : 0,
			 lines ? errhint("The format is [{\"sku\": \"A-1\", \"quantity\": 2}, "
							 "{\"line\": 3, \"quantity\": 1}, ...].") : 0,
			 !items && !lines ?
			 errhint("The description of the call says what it may contain.") : 0));
}

char *
member_text(JsonbContainer *object, const char *key, const char *argument, int max_chars)
{
	JsonbValue	buffer;
	JsonbValue *value = getKeyJsonValueFromContainer(object, key, strlen(key), &buffer);
	char	   *text;

	if (value == NULL || value->type == jbvNull)
		return NULL;
	if (value->type != jbvString)
		member_raise_malformed(argument, psprintf("\"%s\" is not a string", key));
	if (value->val.string.len == 0)
		member_raise_malformed(argument, psprintf("\"%s\" is empty", key));
	text = pnstrdup(value->val.string.val, value->val.string.len);
	if (pg_mbstrlen(text) > max_chars)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("argument \"%s\" contains a \"%s\" that is too long", argument, key),
				 error_facts("At most {max_chars} characters are allowed.",
							 FACT_TEXT("argument", argument), FACT_TEXT("key", key),
							 FACT_INT("max_chars", max_chars)),
				 errhint("Pass a shorter value.")));
	return text;
}

/* ---- keys ---- */

/* The key in lower case, without "_", "-" and blanks. */
static char *
bare(const char *key)
{
	char	   *copy = palloc(strlen(key) + 1);
	char	   *to = copy;

	for (; *key != '\0'; key++)
	{
		if (strchr("_- \t\n\v\f\r", *key) == NULL)
			*to++ = pg_ascii_tolower((unsigned char) *key);
	}
	*to = '\0';
	return copy;
}

static bool
is_known(const char *key, const char *const *known)
{
	for (; *known != NULL; known++)
	{
		if (strcmp(key, *known) == 0)
			return true;
	}
	return false;
}

/* The known key that this one was meant to be; NULL if it is like none. */
static const char *
lookalike(const char *key, const char *const *known)
{
	const char *bare_key = bare(key);

	for (; *known != NULL; known++)
	{
		if (strcmp(bare_key, bare(*known)) == 0)
			return *known;
	}
	return NULL;
}

static void
raise_unknown(const char *key, const char *meant, const char *const *known, const char *argument)
{
	int			shown = pg_mbcliplen(key, strlen(key), SHOWN_KEY_BYTES);

	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("argument \"%s\" contains an unknown key: \"%.*s\"", argument, shown, key),
			 error_facts(NULL, FACT_TEXT("argument", argument),
						 FACT_TEXT("key", pnstrdup(key, shown))),
			 meant != NULL ? errhint("Write it \"%s\".", meant) :
			 errhint("Known keys are %s.", spelling_list(known))));
}

static void
check_keys(JsonbContainer *object, const char *const *known, const char *argument,
		   bool lookalikes_only)
{
	JsonbIterator *iterator = JsonbIteratorInit(object);
	JsonbIteratorToken token;
	JsonbValue	value;
	bool		inside = false;

	while ((token = JsonbIteratorNext(&iterator, &value, inside)) != WJB_DONE)
	{
		char	   *key;
		const char *meant;

		inside = true;
		if (token != WJB_KEY)
			continue;
		key = pnstrdup(value.val.string.val, value.val.string.len);
		if (is_known(key, known))
			continue;
		meant = lookalike(key, known);
		if (meant != NULL || !lookalikes_only)
			raise_unknown(key, meant, known, argument);
	}
}

void
member_check_keys(JsonbContainer *object, const char *const *known, const char *argument)
{
	check_keys(object, known, argument, false);
}

void
member_refuse_lookalikes(JsonbContainer *object, const char *const *known, const char *argument)
{
	check_keys(object, known, argument, true);
}

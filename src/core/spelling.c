/*
 * spelling.c
 *		Words spelled in several ways; see spelling.h.
 */
#include "compat.h"

#include "catalog/pg_collation.h"
#include "lib/stringinfo.h"
#include "utils/formatting.h"

#include "core/spelling.h"

const char *
spelling_skip_blanks(const char *text, int *length)
{
	const char *blanks = " \t\n\v\f\r";

	text += strspn(text, blanks);
	*length = strlen(text);
	while (*length > 0 && strchr(blanks, text[*length - 1]) != NULL)
		(*length)--;
	return text;
}

char *
spelling_trim(const char *text)
{
	int			length;

	text = spelling_skip_blanks(text, &length);
	return pnstrdup(text, length);
}

char *
spelling_code(const char *text)
{
	int			length;

	text = spelling_skip_blanks(text, &length);
	return str_tolower(text, length, DEFAULT_COLLATION_OID);
}

char *
spelling_list(const char *const *words)
{
	StringInfoData list;

	initStringInfo(&list);
	for (; *words != NULL; words++)
		appendStringInfo(&list, "%s\"%s\"", list.len > 0 ? ", " : "", *words);
	return list.data;
}

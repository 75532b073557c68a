/*
 * jsonb_build.c
 *		Jsonb objects built piece by piece; see jsonb_build.h.
 *
 * Ids become strings, since a 19-digit number loses digits in JavaScript.
 *
 * What is built is written at once as it is stored (utils/jsonb.h describes the format), in which a
 * container within another is the same bytes as by itself. PostgreSQL's pushJsonbValue() would
 * take it apart and put it together again on each level.
 */
#include "compat.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/numeric.h"

#include "core/jsonb_build.h"

/* A value as it is stored; not copied, so it must stay until the end of the object. */
typedef struct Piece
{
	JEntry		type;
	const void *data;
	int			len;
	bool		aligned;		/* begins at a multiple of four bytes */
} Piece;

/* Of an array, keys are not used. */
typedef struct Pair
{
	const char *key;
	int			key_len;
	Piece		value;
} Pair;

struct JsonbBuilder
{
	bool		is_object;
	Pair	   *pairs;			/* of an object, in the order of stored keys */
	int			n;
	int			room;
};

#define FIRST_ROOM 16

/* ---- pieces ---- */

static JsonbBuilder *
begin(bool is_object)
{
	JsonbBuilder *builder = palloc(sizeof(JsonbBuilder));

	builder->is_object = is_object;
	builder->n = 0;
	builder->room = FIRST_ROOM;
	builder->pairs = palloc(sizeof(Pair) * FIRST_ROOM);
	return builder;
}

/* Make room for a pair before position i. */
static Pair *
insert_pair(JsonbBuilder *builder, int i)
{
	if (builder->n == builder->room)
	{
		builder->room *= 2;
		builder->pairs = repalloc(builder->pairs, sizeof(Pair) * builder->room);
	}
	memmove(&builder->pairs[i + 1], &builder->pairs[i], sizeof(Pair) * (builder->n - i));
	builder->n++;
	return &builder->pairs[i];
}

/* Keys are stored by their lengths, and those of one length by their bytes. */
static int
compare_key(const Pair *pair, const char *key, int len)
{
	return pair->key_len != len ? pair->key_len - len : memcmp(pair->key, key, len);
}

/* A key that is there gets a new value. */
static void
add(JsonbBuilder *builder, const char *key, Piece value)
{
	int			len = strlen(key);
	int			low = 0;
	int			high = builder->n;
	Pair	   *pair;

	while (low < high)
	{
		int			middle = (low + high) / 2;
		int			order = compare_key(&builder->pairs[middle], key, len);

		if (order == 0)
		{
			builder->pairs[middle].value = value;
			return;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	pair = insert_pair(builder, low);
	pair->key = key;
	pair->key_len = len;
	pair->value = value;
}

static Piece
string_piece(const char *text, int len)
{
	return (Piece)
	{
		.type = JENTRY_ISSTRING, .data = text, .len = len
	};
}

static Piece
numeric_piece(Numeric number)
{
	return (Piece)
	{
		.type = JENTRY_ISNUMERIC, .data = number, .len = VARSIZE_ANY(number),
			.aligned = true
	};
}

static Piece
bool_piece(bool boolean)
{
	return (Piece)
	{
		.type = boolean ? JENTRY_ISBOOL_TRUE : JENTRY_ISBOOL_FALSE
	};
}

static Piece
null_piece(void)
{
	return (Piece)
	{
		.type = JENTRY_ISNULL
	};
}

static Piece
container_piece(Jsonb *jsonb)
{
	return (Piece)
	{
		.type = JENTRY_ISCONTAINER, .data = &jsonb->root,
			.len = VARSIZE(jsonb) - VARHDRSZ, .aligned = true
	};
}

static Piece
scalar_piece(Jsonb *jsonb)
{
	JsonbValue	value;

	if (!JsonbExtractScalar(&jsonb->root, &value))
		elog(ERROR, "could not read a scalar jsonb");
	switch (value.type)
	{
		case jbvString:
			return string_piece(value.val.string.val, value.val.string.len);
		case jbvNumeric:
			return numeric_piece(value.val.numeric);
		case jbvBool:
			return bool_piece(value.val.boolean);
		default:
			return null_piece();
	}
}

/* ---- writing ---- */

typedef struct Writer
{
	JEntry	   *entries;
	int			n_entries;
	char	   *data;			/* what the entries are about */
	uint32		len;
} Writer;

/* Most entries say how long their piece is, and some where it ends. */
static void
write_piece(Writer *writer, const Piece *piece)
{
	uint32		begin = writer->len;
	JEntry		entry;

	if (piece->aligned)
	{
		while (writer->len != INTALIGN(writer->len))
			writer->data[writer->len++] = 0;
	}
	if (piece->len > 0)
		memcpy(writer->data + writer->len, piece->data, piece->len);
	writer->len += piece->len;
	if (writer->n_entries % JB_OFFSET_STRIDE == 0)
		entry = writer->len | JENTRY_HAS_OFF;
	else
		entry = writer->len - begin;
	writer->entries[writer->n_entries++] = entry | piece->type;
}

/* The bytes of all pieces, at most. */
static Size
most_bytes(const JsonbBuilder *builder)
{
	Size		bytes = 0;
	int			i;

	for (i = 0; i < builder->n; i++)
	{
		bytes += builder->pairs[i].value.len + sizeof(uint32);
		bytes += builder->is_object ? builder->pairs[i].key_len : 0;
	}
	if (bytes > JENTRY_OFFLENMASK)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("jsonb value is too large")));
	return bytes;
}

static Jsonb *
finish(JsonbBuilder *builder)
{
	int			n_entries = builder->is_object ? 2 * builder->n : builder->n;
	Size		before = offsetof(Jsonb, root.children) + sizeof(JEntry) * n_entries;
	Jsonb	   *jsonb = palloc(before + most_bytes(builder));
	Writer		writer = {.entries = jsonb->root.children, .data = (char *) jsonb + before};
	int			i;

	jsonb->root.header = builder->n | (builder->is_object ? JB_FOBJECT : JB_FARRAY);
	for (i = 0; builder->is_object && i < builder->n; i++)
	{
		Piece		key = string_piece(builder->pairs[i].key, builder->pairs[i].key_len);

		write_piece(&writer, &key);
	}
	for (i = 0; i < builder->n; i++)
		write_piece(&writer, &builder->pairs[i].value);
	SET_VARSIZE(jsonb, before + writer.len);
	return jsonb;
}

/* ---- objects ---- */

JsonbBuilder *
jsonb_object_begin(void)
{
	return begin(true);
}

void
jsonb_add_id(JsonbBuilder *builder, const char *key, int64 id)
{
	char	   *digits = palloc(MAXINT8LEN + 1);

	add(builder, key, string_piece(digits, pg_lltoa(id, digits)));
}

void
jsonb_add_int(JsonbBuilder *builder, const char *key, int64 number)
{
	add(builder, key, numeric_piece(int64_to_numeric(number)));
}

void
jsonb_add_text(JsonbBuilder *builder, const char *key, const char *text)
{
	add(builder, key, text != NULL ? string_piece(text, strlen(text)) : null_piece());
}

void
jsonb_add_bool(JsonbBuilder *builder, const char *key, bool boolean)
{
	add(builder, key, bool_piece(boolean));
}

void
jsonb_add_timestamptz(JsonbBuilder *builder, const char *key, TimestampTz at)
{
	char	   *text = palloc(MAXDATELEN + 1);

	JsonEncodeDateTime(text, TimestampTzGetDatum(at), TIMESTAMPTZOID, NULL);
	add(builder, key, string_piece(text, strlen(text)));
}

void
jsonb_add_jsonb(JsonbBuilder *builder, const char *key, Jsonb *jsonb)
{
	add(builder, key, JB_ROOT_IS_SCALAR(jsonb) ? scalar_piece(jsonb) : container_piece(jsonb));
}

Jsonb *
jsonb_object_end(JsonbBuilder *builder)
{
	return finish(builder);
}

/* ---- arrays ---- */

JsonbBuilder *
jsonb_array_begin(void)
{
	return begin(false);
}

void
jsonb_array_add(JsonbBuilder *array, JsonbBuilder *object)
{
	insert_pair(array, array->n)->value = container_piece(finish(object));
}

Jsonb *
jsonb_array_end(JsonbBuilder *array)
{
	return finish(array);
}

/* ---- reading ---- */

int64
jsonb_get_int(Jsonb *object, const char *key)
{
	JsonbValue	buffer;
	JsonbValue *value = getKeyJsonValueFromContainer(&object->root, key, strlen(key), &buffer);

	if (value == NULL || value->type != jbvNumeric)
		elog(ERROR, "jsonb has no number \"%s\"", key);
	return DatumGetInt64(DirectFunctionCall1(numeric_int8, NumericGetDatum(value->val.numeric)));
}

char *
jsonb_get_text(Jsonb *object, const char *key)
{
	JsonbValue	buffer;
	JsonbValue *value = getKeyJsonValueFromContainer(&object->root, key, strlen(key), &buffer);

	if (value == NULL || value->type != jbvString)
		return NULL;
	return pnstrdup(value->val.string.val, value->val.string.len);
}

int64
jsonb_get_id(Jsonb *object, const char *key)
{
	char	   *digits = jsonb_get_text(object, key);

	return digits == NULL ? 0 : strtoll(digits, NULL, 10);
}

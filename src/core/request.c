/*
 * request.c
 *		Idempotency by request_id; see request.h.
 */
#include "compat.h"

#include "catalog/pg_collation.h"
#include "common/hashfn.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

#include "core/args.h"
#include "core/error_facts.h"
#include "core/errors.h"
#include "core/locks.h"
#include "core/request.h"
#include "core/row.h"

/* Columns of requests. */
enum
{
	REQUESTS_CREATED_AT,
	REQUESTS_ID,
	REQUESTS_VERSION,
	REQUESTS_FUNCTION,
	REQUESTS_REQUEST_ID,
	REQUESTS_REQUEST_HASH,
	REQUESTS_STATUS,
	REQUESTS_DETAIL
};

static RowTable requests = ROW_TABLE(
	"requests", "requests_pkey",
	"created_at", "id", "version", "function", "request_id", "request_hash", "status", "detail");

/* A running hash of a call's arguments; equal values of an argument's type have equal hashes. */
typedef struct RequestHash
{
	uint64		state[2];
} RequestHash;

/* What find() learned about a key. */
typedef enum RequestUse
{
	REQUEST_NEW,				/* or no request_id */
	REQUEST_SAME,				/* *result is the earlier answer */
	REQUEST_OTHER				/* the key was used for another request */
} RequestUse;

static void
mix(RequestHash *hash, uint64 a, uint64 b)
{
	uint64		first[2] = {hash->state[0], a};
	uint64		second[2] = {hash->state[1], b};

	hash->state[0] = hash_bytes_extended((unsigned char *) first, sizeof(first), 1);
	hash->state[1] = hash_bytes_extended((unsigned char *) second, sizeof(second), 2);
}

/* The type's own hash function makes equal values equal: 1.0 and 1 within jsonb, say. */
static uint64
hash_datum(FunctionCallInfo fcinfo, int n, Oid type, uint64 seed)
{
	TypeCacheEntry *entry = lookup_type_cache(type, TYPECACHE_HASH_EXTENDED_PROC_FINFO);

	if (!OidIsValid(entry->hash_extended_proc_finfo.fn_oid))
		elog(ERROR, "type %u has no extended hash function", type);
	return DatumGetUInt64(FunctionCall2Coll(&entry->hash_extended_proc_finfo,
											DEFAULT_COLLATION_OID,
											PG_GETARG_DATUM(n), UInt64GetDatum(seed)));
}

/* Hash all arguments of the call except the request_id itself. */
static RequestHash
hash_arguments(FunctionCallInfo fcinfo, int request_id_arg)
{
	RequestHash hash = {{0, 0}};
	Oid		   *types;
	int			nargs;
	int			n;

	(void) get_func_signature(fcinfo->flinfo->fn_oid, &types, &nargs);
	for (n = 0; n < PG_NARGS() && n < nargs; n++)
	{
		if (n == request_id_arg)
			continue;
		if (PG_ARGISNULL(n))
			mix(&hash, n, n);
		else
			mix(&hash, hash_datum(fcinfo, n, types[n], 11), hash_datum(fcinfo, n, types[n], 13));
	}
	return hash;
}

static Datum
hash_as_bytea(const RequestHash *hash)
{
	bytea	   *bytes = palloc(VARHDRSZ + REQUEST_HASH_BYTES);

	SET_VARSIZE(bytes, VARHDRSZ + REQUEST_HASH_BYTES);
	memcpy(VARDATA(bytes), hash->state, REQUEST_HASH_BYTES);
	return PointerGetDatum(bytes);
}

int64
request_lock_key(const char *space, const char *word)
{
	uint64		key = hash_bytes_extended((const unsigned char *) space, strlen(space), 0);

	return (int64) hash_bytes_extended((const unsigned char *) word, strlen(word), key);
}

static bool
same_hash(const Row *row, const RequestHash *hash)
{
	bytea	   *stored = DatumGetByteaPP(row->values[REQUESTS_REQUEST_HASH]);

	return VARSIZE_ANY_EXHDR(stored) == REQUEST_HASH_BYTES &&
		memcmp(VARDATA_ANY(stored), hash->state, REQUEST_HASH_BYTES) == 0;
}

/* Look up the key, after any other transaction that uses it has ended. */
static RequestUse
find(const char *function, const char *request_id, const RequestHash *hash, CallResult *result)
{
	Datum		keys[2];
	Row			row;

	lock_wait(LOCK_REQUEST, request_lock_key(function, request_id));

	keys[0] = CStringGetTextDatum(function);
	keys[1] = CStringGetTextDatum(request_id);
	if (!row_find(&requests, keys, lengthof(keys), &row))
		return REQUEST_NEW;
	if (!same_hash(&row, hash))
		return REQUEST_OTHER;

	result->id_is_null = row.nulls[REQUESTS_ID];
	result->id = row_get_int64_or(&row, REQUESTS_ID, 0);
	result->status = row_get_text(&row, REQUESTS_STATUS);
	result->version = row.nulls[REQUESTS_VERSION] ? 0 : row_get_int32(&row, REQUESTS_VERSION);
	result->detail = row_get_jsonb(&row, REQUESTS_DETAIL);
	result->disposition = "replayed";
	return REQUEST_SAME;
}

/* In REPEATABLE READ, another transaction may have taken the key: 40001. */
static void
remember(const char *function, const char *request_id,
		 const RequestHash *hash, const CallResult *result)
{
	Rows	   *rows = rows_open(&requests, ROWS_CHANGE);
	Datum		keys[2] = {CStringGetTextDatum(function), CStringGetTextDatum(request_id)};
	Row			row;

	if (rows_is_taken(rows, keys, lengthof(keys)))
		error_conflict("request_id \"%s\" was used by another transaction", request_id);
	memset(row.nulls, true, sizeof(row.nulls));
	row_set(&row, REQUESTS_CREATED_AT, TimestampTzGetDatum(GetCurrentTimestamp()));
	if (!result->id_is_null)
		row_set(&row, REQUESTS_ID, Int64GetDatum(result->id));
	if (result->version != 0)
		row_set(&row, REQUESTS_VERSION, Int32GetDatum(result->version));
	row_set(&row, REQUESTS_FUNCTION, keys[0]);
	row_set(&row, REQUESTS_REQUEST_ID, keys[1]);
	row_set(&row, REQUESTS_REQUEST_HASH, hash_as_bytea(hash));
	if (result->status != NULL)
		row_set(&row, REQUESTS_STATUS, CStringGetTextDatum(result->status));
	if (result->detail != NULL)
		row_set(&row, REQUESTS_DETAIL, JsonbPGetDatum(result->detail));
	rows_insert(rows, row.values, row.nulls);
	rows_close(rows);
}

static void
run(FunctionCallInfo fcinfo, const char *function, int n, RequestWork work, void *request,
	bool is_fact, CallResult *result)
{
	RequestKey	key = {arg_text_or_null(fcinfo, n, "request_id", MAX_REQUEST_ID_CHARS), false};
	RequestHash hash;
	RequestUse	use;

	memset(result, 0, sizeof(CallResult));
	if (key.request_id == NULL)
	{
		work(request, &key, result);
		return;
	}
	hash = hash_arguments(fcinfo, n);
	use = find(function, key.request_id, &hash, result);
	if (use == REQUEST_SAME)
		return;
	key.reused = (use == REQUEST_OTHER);
	if (key.reused && !is_fact)
		ereport(ERROR,
				(errcode(ERRCODE_OE_REQUEST_REUSED),
				 errmsg("request_id \"%s\" was already used for a different request",
						key.request_id),
				 error_facts("{function} was called with it before, but with different arguments.",
							 FACT_TEXT("request_id", key.request_id),
							 FACT_TEXT("function", function)),
				 errhint("Use a new request_id for a new request.")));
	work(request, &key, result);
	if (!key.reused)
		remember(function, key.request_id, &hash, result);
}

void
request_run(FunctionCallInfo fcinfo, const char *function, int n, RequestWork work, void *request,
			CallResult *result)
{
	run(fcinfo, function, n, work, request, false, result);
}

Datum
request_call(FunctionCallInfo fcinfo, const char *function, int n, RequestWork work, void *request)
{
	CallResult	result;

	run(fcinfo, function, n, work, request, false, &result);
	return call_return_result(fcinfo, &result);
}

Datum
request_fact(FunctionCallInfo fcinfo, const char *function, int n, RequestWork work, void *fact)
{
	CallResult	result;

	run(fcinfo, function, n, work, fact, true, &result);
	return call_return_result(fcinfo, &result);
}

/*
 * request.c
 *		Idempotency by request_id; see request.h.
 */
#include "compat.h"

#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

#include "core/args.h"
#include "core/errors.h"
#include "core/locks.h"
#include "core/request.h"
#include "core/spi_util.h"

static SavedPlan find_request = SAVED_PLAN(
	"SELECT request_hash, id, status, version, detail"
	" FROM order_ext_internal.requests WHERE function = $1 AND request_id = $2",
	TEXTOID, TEXTOID);

/* In REPEATABLE READ, a key that another transaction has taken raises 40001 here. */
static SavedPlan insert_request = SAVED_PLAN(
	"INSERT INTO order_ext_internal.requests"
	" (created_at, id, version, function, request_id, request_hash, status, detail)"
	" VALUES (pg_catalog.clock_timestamp(), $1, $2, $3, $4, $5, $6, $7)"
	" ON CONFLICT DO NOTHING",
	INT8OID, INT4OID, TEXTOID, TEXTOID, BYTEAOID, TEXTOID, JSONBOID);

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
same_hash(uint64 row, int column, const RequestHash *hash)
{
	bool		isnull;
	bytea	   *stored = DatumGetByteaPP(row_datum(row, column, &isnull));

	return VARSIZE_ANY_EXHDR(stored) == REQUEST_HASH_BYTES &&
		memcmp(VARDATA_ANY(stored), hash->state, REQUEST_HASH_BYTES) == 0;
}

/* Look up the key, after any other transaction that uses it has ended. */
static RequestUse
find(const char *function, const char *request_id, const RequestHash *hash, CallResult *result)
{
	Datum		values[2];

	lock_wait(LOCK_REQUEST, request_lock_key(function, request_id));

	values[0] = CStringGetTextDatum(function);
	values[1] = CStringGetTextDatum(request_id);
	if (plan_query(&find_request, values, NULL, 1) == 0)
		return REQUEST_NEW;
	if (!same_hash(0, 1, hash))
		return REQUEST_OTHER;

	result->id_is_null = row_is_null(0, 2);
	result->id = row_int64_or(0, 2, 0);
	result->status = row_text(0, 3);
	result->version = row_is_null(0, 4) ? 0 : row_int32(0, 4);
	result->detail = row_jsonb(0, 5);
	result->disposition = "replayed";
	return REQUEST_SAME;
}

static void
remember(const char *function, const char *request_id,
		 const RequestHash *hash, const CallResult *result)
{
	Datum		values[7];
	char		nulls[7] = {' ', ' ', ' ', ' ', ' ', ' ', ' '};

	values[0] = Int64GetDatum(result->id);
	nulls[0] = result->id_is_null ? 'n' : ' ';
	values[1] = Int32GetDatum(result->version);
	nulls[1] = result->version == 0 ? 'n' : ' ';
	values[2] = CStringGetTextDatum(function);
	values[3] = CStringGetTextDatum(request_id);
	values[4] = hash_as_bytea(hash);
	values[5] = result->status ? CStringGetTextDatum(result->status) : (Datum) 0;
	nulls[5] = result->status ? ' ' : 'n';
	values[6] = PointerGetDatum(result->detail);
	nulls[6] = result->detail ? ' ' : 'n';
	if (plan_write(&insert_request, values, nulls, 0) != 1)
		error_conflict("request_id \"%s\" was used by another transaction", request_id);
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
				 errdetail("%s was called with it before, but with different arguments.", function),
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

/*
 * moments.c
 *		Mutual exclusion for moments, in shared memory; see moments.h.
 */
#include "compat.h"

#include "common/hashfn.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/lwlock.h"

#include "core/moments.h"

#define TRANCHE_NAME "OrderExtMoment"
#define MOMENTS 256

static LWLockPadded *moments = NULL;

void
moments_request(void)
{
	RequestNamedLWLockTranche(TRANCHE_NAME, MOMENTS);
}

void
moments_attach(void)
{
	moments = GetNamedLWLockTranche(TRANCHE_NAME);
}

static LWLock *
moment_of(uint64 key)
{
	uint64		hash = hash_combine64(hash_bytes_extended((unsigned char *) &key, sizeof(key), 0),
									  MyDatabaseId);

	return &moments[hash % MOMENTS].lock;
}

bool
moment_begin(uint64 key)
{
	if (moments == NULL)
		return false;
	LWLockAcquire(moment_of(key), LW_EXCLUSIVE);
	return true;
}

bool
moment_end(uint64 key)
{
	if (moments == NULL)
		return false;
	LWLockRelease(moment_of(key));
	return true;
}

/*
 * compat.h
 *		Differences between the PostgreSQL versions 14 to 18, all in one place.
 */
#ifndef ORDER_EXT_COMPAT_H
#define ORDER_EXT_COMPAT_H

#include "postgres.h"

#if PG_VERSION_NUM < 140000
#error "order_ext needs PostgreSQL 14 or later"
#endif

/* 16 split the varlena and hash headers out; these names exist in all of 14 to 18. */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* 15 introduced shmem_request_hook; before it, shared memory is asked for in _PG_init. */
#if PG_VERSION_NUM >= 150000
#define ORDER_EXT_HAVE_SHMEM_REQUEST_HOOK 1
#endif

/* 15 introduced MarkGUCPrefixReserved. */
#if PG_VERSION_NUM < 150000
#define MarkGUCPrefixReserved(prefix) EmitWarningsOnPlaceholders(prefix)
#endif

/* 17 replaced the backend id by the proc number. */
#if PG_VERSION_NUM < 170000
#define MyProcNumber (MyBackendId - 1)
#endif

#endif							/* ORDER_EXT_COMPAT_H */

/*
 * shmem.h
 *		The one struct of order_ext in shared memory: which databases have workers, and what they
 *		are doing.
 *
 * It contains no pointers. Everything is protected by WorkerShared.lock except atomics, which
 * wake-ups and counters use; the flags that a worker polls about itself (a stale read only delays
 * it until its latch is set); and the state of a worker that has attached, which only it writes,
 * for worker_stats.
 */
#ifndef ORDER_EXT_SHMEM_H
#define ORDER_EXT_SHMEM_H

#include "compat.h"

#include "port/atomics.h"
#include "storage/lwlock.h"
#include "utils/timestamp.h"

#define MAX_DATABASES 128
#define MAX_DATABASE_WORKERS 64
#define MAX_DATABASE_ROLES 64
#define MAX_WAITERS 1024
#define MAX_BACKOFF_SECONDS 60

/* Time until the next relief if none could be started. */
#define RELIEF_PAUSE (1 * USECS_PER_SEC)
#define SCHEDULER_SLOT 0		/* of each database's workers; the rest are dispatchers */

typedef enum WorkerKind
{
	WORKER_SCHEDULER,
	WORKER_DISPATCHER
} WorkerKind;

typedef enum WorkerState
{
	WORKER_FREE,				/* free */
	WORKER_STARTING,			/* registered, not yet attached */
	WORKER_IDLE,
	WORKER_BUSY,
	WORKER_FAILING				/* alive, waiting after an error */
} WorkerState;

/* What the last worker that checked a database found. */
typedef enum Verdict
{
	VERDICT_UNKNOWN,			/* not checked since the last announcement */
	VERDICT_RUN,				/* workers should run here */
	VERDICT_ABSENT,				/* the extension is not there */
	VERDICT_FOREIGN,			/* the stamp is missing or another database's */
	VERDICT_VERSION,			/* the SQL objects are of another version */
	VERDICT_DISABLED			/* order_ext.enabled is off */
} Verdict;

typedef struct WorkerSlot
{
	WorkerState state;
	WorkerKind	kind;
	Oid			role;			/* the role it runs as */
	int			ordinal;		/* among the dispatchers of its role */
	uint32		launch;			/* the launch to which the slot was assigned */
	uint32		announced;		/* DatabaseSlot.announced at its launch */
	int			pid;			/* 0 until it attached */
	int			procno;			/* -1 until it attached */
	bool		leave;			/* asked to exit */
	bool		outdated;		/* started under settings that have changed */
	bool		relief;			/* started because others are held up; see relief.c */
	TimestampTz since;			/* launch time, then start time */
	pg_atomic_uint64 topics;	/* topic bits published and not yet checked */
	pg_atomic_uint64 interest;	/* topic bits for which to wake it */
	volatile bool held_up;		/* working on one group for longer than a time slice */
	pg_atomic_uint64 other_topics;	/* topic bits of the groups it is not working on */
	pg_atomic_uint64 others_due;	/* when one of those has other work */
	pg_atomic_uint64 earliest;	/* earliest due time armed and not yet checked */
	pg_atomic_uint64 sleep_until;	/* timers due later need no wake-up */
	pg_atomic_uint64 batches;
	pg_atomic_uint64 messages;
	pg_atomic_uint64 last_active;
	pg_atomic_uint64 alive_at;	/* last iteration of its loop, or call of a handler */
} WorkerSlot;

/* A role that handlers of the database run as, and how many dispatchers it gets. */
typedef struct RoleEntry
{
	Oid			role;
	int			count;
	int			failures;		/* in a row */
	TimestampTz retry_at;		/* do not start before this */
	bool		no_slot;		/* ... because max_worker_processes was exhausted */
	bool		outdated;		/* settings have changed since it failed */
	TimestampTz relief_at;		/* do not start a relief before this */
} RoleEntry;

typedef struct DatabaseSlot
{
	Oid			database;		/* InvalidOid = free */
	uint32		announced;		/* incremented whenever its workers must check again */
	int			holds;			/* number of commands that need it without workers */
	Verdict		verdict;
	int			failures;		/* in a row */
	TimestampTz retry_at;		/* do not start before this */
	bool		no_slot;		/* max_worker_processes was exhausted at the last attempt */
	bool		outdated;		/* settings have changed since it was found disabled */
	TimestampTz relief_at;		/* do not start a relief of the bootstrap superuser before this */
	TimestampTz reconsidered;	/* when that was last acted on */
	int			n_roles;		/* besides the bootstrap superuser */
	int			n_main;			/* dispatchers of the bootstrap superuser */
	RoleEntry	roles[MAX_DATABASE_ROLES];
	int			n_workers;		/* slots above were never used */
	WorkerSlot	workers[MAX_DATABASE_WORKERS];
} DatabaseSlot;

/* A client's process that waits for messages; see waiters.h. */
typedef struct WaiterSlot
{
	Oid			database;		/* InvalidOid = free */
	int			procno;
	uint64		topics;
} WaiterSlot;

typedef struct WorkerShared
{
	LWLock	   *lock;
	int			launcher_pid;	/* 0 = none */
	int			launcher_procno;
	pg_atomic_uint64 launcher_alive_at;
	uint32		launches;
	bool		overflow;		/* an announcement found no free database slot */
	pg_atomic_uint32 databases_used;	/* slots above were never used */
	DatabaseSlot databases[MAX_DATABASES];
	pg_atomic_uint32 waiters_used;	/* slots above were never used */
	WaiterSlot	waiters[MAX_WAITERS];
} WorkerShared;

/* NULL unless the library was preloaded. */
extern WorkerShared *worker_shared;

/* The slot of this process, if it is a worker. */
extern WorkerSlot *worker_my_slot;
extern DatabaseSlot *worker_my_database;

/*
 * Install the shared memory hooks; only while preloading. when_new is called whenever the memory
 * has been made anew, at the start of the server and after a crash.
 */
extern void shmem_init(void (*when_new) (void));

/*
 * The slot of a database, created if it does not exist and create is set; NULL if there is none
 * (or none is free). Caller holds the lock, exclusively to create.
 */
extern DatabaseSlot *database_slot(Oid database, bool create);

/* Release the slot of a database; it has no workers and no holds. Lock held. */
extern void database_slot_free(DatabaseSlot *db);

/* Whether any worker of the database is alive or starting. Lock held. */
extern bool database_has_workers(const DatabaseSlot *db);

/* The entry of a role, NULL if there is none. Lock held. */
extern RoleEntry *role_entry(DatabaseSlot *db, Oid role);

/* Record a failure of the role's workers, as below. Lock held exclusively. */
extern void role_failed(RoleEntry *entry);

/* When the next relief of the role (relief.h) may be started, and that one has failed. */
extern TimestampTz *role_relief_at(DatabaseSlot *db, Oid role);
extern void role_relief_failed(DatabaseSlot *db, Oid role);

/*
 * Record which roles the database's handlers run as; the launcher is notified if that has
 * changed. main_count: dispatchers of the bootstrap superuser.
 */
extern void roles_announce(const RoleEntry *roles, int n, int main_count);

/* Record a failure: the next start waits 1, 2, 4 ... 60 seconds. Lock held exclusively. */
extern void database_failed(DatabaseSlot *db);

/* Make the workers of the database check again (restart); safe at commit. */
extern void database_announce(Oid database);

/* If nothing is known about the database, have it checked; safe at commit. */
extern void database_discover(Oid database);

/* Wake the launcher, a worker, or any process by its number. */
extern void worker_wake_launcher(void);
extern void worker_wake_process(int procno);
extern void worker_wake(const WorkerSlot *worker);

/* Ask a worker to exit, by SIGTERM if force is set; lock held exclusively. */
extern void worker_send_away(WorkerSlot *worker, bool force);

/* State and counters of this worker, for worker_stats; and signs of life of any process. */
extern void worker_alive(TimestampTz now);
extern void worker_set_state(WorkerState state);
extern void worker_count(int64 batches, int64 messages);

#endif							/* ORDER_EXT_SHMEM_H */

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
#define MAX_DATABASE_WORKERS 65
#define MAX_DATABASE_ROLES 64
#define MAX_WAITERS 1024
#define MAX_BACKOFF_SECONDS 60

/* Time until the next relief if none could be started. */
#define RELIEF_PAUSE (1 * USECS_PER_SEC)

/* Of each database's workers; the rest are dispatchers. */
#define SCHEDULER_SLOT 0
#define STAND_IN_SLOT 1			/* of a scheduler that does not answer */
#define DISPATCHER_SLOTS 2

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
	volatile int handler_timeout;	/* of the group it is working on; milliseconds, 0: none */
	volatile bool held_up;		/* working on one group for longer than a time slice */
	pg_atomic_uint64 other_topics;	/* topic bits of the groups it is not working on */
	pg_atomic_uint64 others_due;	/* when one of those has other work */
	pg_atomic_uint64 work_due;	/* when it has work that nobody will tell of; see away.c */
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
	uint64		interest;		/* topic bits of its groups */
	TimestampTz work_due;		/* when it had work as its last dispatcher exited */
	TimestampTz waits_since;	/* has work, but no dispatcher; 0: not so */
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
	pg_atomic_uint64 away_interest; /* topic bits of roles without dispatcher and work */
	pg_atomic_uint64 away_topics;	/* topic bits published while there are such roles */
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
	TimestampTz launcher_replaced;	/* when a stand-in was last started */
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

/* Wake the launcher, a worker, or any process by its number. */
extern void worker_wake_launcher(void);
extern void worker_wake_process(int procno);
extern void worker_wake(const WorkerSlot *worker);

/* Ask a worker to exit; the same, and send it SIGTERM. Lock held exclusively. */
extern void worker_send_away(WorkerSlot *worker);
extern void worker_terminate(WorkerSlot *worker);

/*
 * Count a failure of something, and set *retry_at, before which it is not started again: 1, 2, 4
 * ... 60 seconds from now.
 */
extern void worker_back_off(int *failures, TimestampTz *retry_at);

/* State and counters of this worker, for worker_stats; and signs of life of any process. */
extern void worker_alive(TimestampTz now);
extern void worker_set_state(WorkerState state);
extern void worker_count(int64 batches, int64 messages);

#endif							/* ORDER_EXT_SHMEM_H */

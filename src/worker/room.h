/*
 * room.h
 *		Turns for those who are short of worker slots, if max_worker_processes is too small for all.
 */
#ifndef ORDER_EXT_ROOM_H
#define ORDER_EXT_ROOM_H

#include "compat.h"

#include "worker/shmem.h"

/* What a slot is wanted for. */
typedef enum RoomFor
{
	ROOM_FOR_DATABASE,			/* its scheduler, or its built-in handlers */
	ROOM_FOR_ROLE,				/* a role that has work and no dispatcher */
	ROOM_FOR_TURN,				/* a role's dispatcher, whether it has work or not */
	ROOM_FOR_STAND_IN,			/* in place of a scheduler that does not answer */
	ROOM_FOR_RELIEF				/* while others are held up (relief.h) */
} RoomFor;

/* A slot is about to become free. */
#define ROOM_PATIENCE (USECS_PER_SEC / 10)

/* The launcher begins a turn. */
extern void room_begin_turn(void);

/* Whether to try and start a worker: false if the next free slot is somebody else's. */
extern bool room_may_take(RoomFor wanted);

/* It was started. */
extern void room_taken(RoomFor wanted);

/*
 * There was no slot for it. For those before relief, ask a dispatcher of a role to exit, in any
 * database; it then waits in turn. True if one is exiting, so that it is worthwhile to retry soon.
 */
extern bool room_make(RoomFor wanted);

#endif							/* ORDER_EXT_ROOM_H */

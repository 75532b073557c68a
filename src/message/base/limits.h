/*
 * limits.h
 *		Limits of the message layer that are not settings.
 */
#ifndef ORDER_EXT_MESSAGE_LIMITS_H
#define ORDER_EXT_MESSAGE_LIMITS_H

/* Longest name of a topic, a consumer group or an asset kind. */
#define MAX_NAME_CHARS 128

/* Highest max_attempts of a group. */
#define MAX_MAX_ATTEMPTS 1000

/* Messages of one isolated transaction: a subtransaction each, and 64 fit in the cache
 * of a backend's subtransactions; beyond that every snapshot in the server gets slower. */
#define ISOLATED_BATCH 60

/* Payload bytes after which a batch is full, however few messages it has. */
#define BATCH_BYTES (16 * 1024 * 1024)

/* Milliseconds after which a worker takes no further message of a batch, so that other groups
 * get their turn. */
#define BATCH_MS 250

/* Crashes in which a message was running that make it a dead letter. */
#define MAX_CRASHES 2

/* Parts that a group can be read in, and rows of other parts that a batch may pass over for
 * each row of its own. */
#define MAX_PARTS 64
#define PASSED_PER_ROW 64

/* Rows of other parts after which a part notes that it is past them, though it has no rows. */
#define PASSED_NOTED 256

/* Longest error text that is kept, in bytes. */
#define MAX_ERROR_BYTES 1024

/* Deadlocks or serialization failures in a row before a message has to wait its turn. */
#define MAX_CONFLICTS 10

/* Rows of group_progress that are kept behind the newest, and how often the rest goes. */
#define PROGRESS_KEPT 8192
#define PROGRESS_PRUNE_EVERY 1024

#endif							/* ORDER_EXT_MESSAGE_LIMITS_H */

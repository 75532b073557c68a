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

/*
 * Messages of one isolated transaction: each takes a subtransaction, and a backend's
 * subtransaction cache holds 64; beyond that, every snapshot in the server becomes slower.
 */
#define ISOLATED_BATCH 60

/* Payload bytes after which a batch is full, even if it has only few messages. */
#define BATCH_BYTES (16 * 1024 * 1024)

/* Milliseconds after which a worker takes no further message of a batch, so that other groups
 * get their turn. */
#define BATCH_MS 250

/*
 * Milliseconds in which a worker adds further batches of a long backlog to a transaction, as long
 * as no other group waits: most of a short transaction is waiting for the disk.
 */
#define MERGE_MS 20

/* Number of crashes while a message was running that make it a dead letter. */
#define MAX_CRASHES 2

/*
 * Maximum number of parts of a group, and of rows of other parts that a batch may skip for each
 * row of its own.
 */
#define MAX_PARTS 64
#define PASSED_PER_ROW 64

/* Number of other parts' rows after which a part records its progress although it has no rows. */
#define PASSED_NOTED 256

/* Maximum length of a stored error text, in bytes. */
#define MAX_ERROR_BYTES 1024

/* Number of consecutive deadlocks or serialization failures after which a message has to wait. */
#define MAX_CONFLICTS 10

/* Rows of group_progress that are kept besides the newest, and how often older ones are deleted. */
#define PROGRESS_KEPT 8192
#define PROGRESS_PRUNE_EVERY 1024

#endif							/* ORDER_EXT_MESSAGE_LIMITS_H */

/*
 * dedup.h
 *		Publishing once: keys that a topic remembers for its window.
 */
#ifndef ORDER_EXT_DEDUP_H
#define ORDER_EXT_DEDUP_H

#include "postgres.h"

#include "message/base/catalog.h"

/* Maximum length of a dedup_key. */
#define MAX_DEDUP_KEY_CHARS 256

/* How long a topic remembers a key by default, and at most; seconds. */
#define DEFAULT_DEDUP_WINDOW (24 * 60 * 60)
#define MAX_DEDUP_WINDOW (365 * 24 * 60 * 60)

/*
 * Claim the key for a message of the topic. Returns 0 if it is now ours (with this transaction),
 * otherwise the id of the message that has it. If another transaction is about to claim it, waits
 * for that one. Inside api_call(), as the owner.
 */
extern int64 dedup_claim(const Topic *topic, const char *key, int64 message_id);

#endif							/* ORDER_EXT_DEDUP_H */

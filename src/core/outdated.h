/*
 * outdated.h
 *		SQL texts for objects of an earlier version.
 */
#ifndef ORDER_EXT_OUTDATED_H
#define ORDER_EXT_OUTDATED_H

#include "postgres.h"

/*
 * The text without the columns that the database does not have yet, where their defaults will do
 * for them; NULL if there are none. Palloc'd.
 */
extern char *outdated_text(const char *sql);

#endif							/* ORDER_EXT_OUTDATED_H */

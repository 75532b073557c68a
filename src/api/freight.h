/*
 * freight.h
 *		What it costs to send an order to a region: put_freight, remove_freight, and the templates
 *		that they keep.
 */
#ifndef ORDER_EXT_FREIGHT_H
#define ORDER_EXT_FREIGHT_H

#include "postgres.h"

#define MAX_REGION_CHARS 128

/* The region whose template is that of every region without one of its own. */
#define FREIGHT_ANYWHERE "*"

/*
 * The freight of goods that are worth origin, in a currency. The region, NULL or as the caller
 * wrote it, need not be trimmed. Raises OE006 if templates exist, but none is for it.
 */
extern int64 freight_of(const char *region, const char *currency, int64 origin);

#endif							/* ORDER_EXT_FREIGHT_H */

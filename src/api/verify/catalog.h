/*
 * catalog.h
 *		Checks of the catalog; see queries.h.
 */
#ifndef ORDER_EXT_VERIFY_CATALOG_H
#define ORDER_EXT_VERIFY_CATALOG_H

#include "api/verify/check.h"

extern const char verify_catalog_regions[];
extern const char verify_catalog_channels[];

#endif							/* ORDER_EXT_VERIFY_CATALOG_H */

/*
 * message_init.c
 *		Initialization of the message layer.
 */
#include "compat.h"

#include "message/base/catalog.h"
#include "message/base/wake.h"
#include "message/delivery/guest.h"
#include "message/lease/receipts.h"
#include "message/log/floors.h"
#include "message/message_init.h"

void
message_init(void)
{
	wake_init();
	catalog_init();
	floors_init();
	guest_init();
	receipts_init();			/* whose callbacks are then called before those of log/floors.c */
}

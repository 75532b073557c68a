/*
 * order_ext.c
 *		Initialization of the library: settings, built-in consumers, the message layer and the
 *		workers. Start reading at src/README.md.
 */
#include "compat.h"

#include "fmgr.h"

#include "core/settings.h"
#include "handlers/handlers.h"
#include "message/message_init.h"
#include "worker/worker.h"

PG_MODULE_MAGIC;

void		_PG_init(void);

void
_PG_init(void)
{
	settings_define();
	handlers_init();
	message_init();
	worker_init();
}

/*
 * settings.c
 *		Definition of the settings (GUCs).
 *
 * Settings about money or an order's life cycle can be changed by everyone in their own session,
 * since the API accepts these values as arguments anyway; settings of the background workers are
 * for superusers.
 */
#include "compat.h"

#include <limits.h>

#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/guc.h"

#include "core/currency.h"
#include "core/settings.h"

int			setting_pay_timeout = 30 * 60;
int			setting_lock_timeout = 3000;
char	   *setting_currency = NULL;
int			setting_error_detail = ERROR_DETAIL_TEXT;
char	   *setting_operator = NULL;
int			setting_batch_size = 500;
int			setting_workers = 1;
int			setting_handler_timeout = 30000;
int			setting_max_payload = 256 * 1024;
int			setting_log_retention = 24 * 60 * 60;
int			setting_log_segment_size = 1024 * 1024;
int			setting_backlog_alert_age = 60 * 60;
int			setting_backlog_alert_size = 8 * 1024 * 1024;
int			setting_request_retention = 30 * 24 * 60 * 60;
int			setting_order_retention = -1;
int			setting_archive_retention = -1;
int			setting_verify_interval = 24 * 60 * 60;
int			setting_after_sale_window = 7 * 24 * 60 * 60;
int			setting_review_reminder = 2 * 24 * 60 * 60;
int			setting_return_window = 7 * 24 * 60 * 60;
int			setting_auto_sign = 15 * 24 * 60 * 60;
int			setting_coupon_return = COUPON_RETURN_AS_IS;
int			setting_coupon_extension = 7 * 24 * 60 * 60;
bool		setting_enabled = true;

/* Stored as a code, however it is written; the code is not longer than what means it. */
static bool
check_currency(char **newval, void **extra, GucSource source)
{
	const char *code = currency_code(*newval);

	if (code == NULL)
	{
		GUC_check_errdetail("It is not an alphabetic code of ISO 4217, such as CNY, USD or JPY.");
		return false;
	}
	strcpy(*newval, code);
	return true;
}

#define MAX_OPERATOR_CHARS 128

/* Before a database is connected to, its encoding is not known: call_operator() looks again. */
static bool
check_operator(char **newval, void **extra, GucSource source)
{
	if (!OidIsValid(MyDatabaseId))
		return true;
	if (!pg_verifymbstr(*newval, strlen(*newval), true))
	{
		GUC_check_errdetail("It is not valid in the encoding of the database.");
		return false;
	}
	if (pg_mbstrlen(*newval) > MAX_OPERATOR_CHARS)
	{
		GUC_check_errdetail("At most %d characters are allowed.", MAX_OPERATOR_CHARS);
		return false;
	}
	return true;
}

static const struct config_enum_entry error_detail_words[] = {
	{"text", ERROR_DETAIL_TEXT, false},
	{"json", ERROR_DETAIL_JSON, false},
	{NULL, 0, false}
};

static void
define_order_settings(void)
{
	DefineCustomIntVariable("order_ext.pay_timeout",
							"Time in which a new order must be paid.",
							"Used where create_order() is given no pay_timeout.",
							&setting_pay_timeout,
							30 * 60, 1, 365 * 24 * 60 * 60,
							PGC_USERSET, GUC_UNIT_S, NULL, NULL, NULL);
	DefineCustomIntVariable("order_ext.lock_timeout",
							"Longest wait for a lock inside a call; 0 fails at once.",
							"The call then raises OE110 and has done nothing.",
							&setting_lock_timeout,
							3000, 0, INT_MAX,
							PGC_USERSET, GUC_UNIT_MS, NULL, NULL, NULL);
	DefineCustomStringVariable("order_ext.currency",
							   "Currency of an order that names none.",
							   NULL, &setting_currency, "CNY",
							   PGC_USERSET, 0, check_currency, NULL, NULL);
	DefineCustomStringVariable("order_ext.operator",
							   "Who makes the calls of this session, for the records.",
							   "A name of up to 128 characters. It gives no right, and code of "
							   "handlers does not have it.",
							   &setting_operator, "",
							   PGC_USERSET, 0, check_operator, NULL, NULL);
	DefineCustomEnumVariable("order_ext.error_detail",
							 "What DETAIL of an error is.",
							 "text: a sentence; json: an object with the facts.",
							 &setting_error_detail,
							 ERROR_DETAIL_TEXT, error_detail_words,
							 PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("order_ext.request_retention",
							"How long request_ids are remembered.",
							NULL, &setting_request_retention,
							30 * 24 * 60 * 60, 60, INT_MAX,
							PGC_SUSET, GUC_UNIT_S, NULL, NULL, NULL);
	DefineCustomIntVariable("order_ext.order_retention",
							"How long settled orders stay before they are archived; -1 = forever.",
							NULL, &setting_order_retention,
							-1, -1, INT_MAX,
							PGC_SUSET, GUC_UNIT_S, NULL, NULL, NULL);
	DefineCustomIntVariable("order_ext.archive_retention",
							"How long settled orders stay in the archive before they can be "
							"dropped; -1 = forever.",
							NULL, &setting_archive_retention,
							-1, -1, INT_MAX,
							PGC_SUSET, GUC_UNIT_S, NULL, NULL, NULL);
	DefineCustomIntVariable("order_ext.verify_interval",
							"How long after a full check maintain() does the next one; 0 = never.",
							NULL, &setting_verify_interval,
							24 * 60 * 60, 0, INT_MAX,
							PGC_SUSET, GUC_UNIT_S, NULL, NULL, NULL);
}

static const struct config_enum_entry coupon_return_words[] = {
	{"as_is", COUPON_RETURN_AS_IS, false},
	{"extend", COUPON_RETURN_EXTEND, false},
	{NULL, 0, false}
};

/* Policies of the shop rather than of a caller. */
static void
define_after_sale_settings(void)
{
	DefineCustomIntVariable("order_ext.after_sale_window",
							"Time after signing in which an after-sale can be applied for.",
							NULL, &setting_after_sale_window,
							7 * 24 * 60 * 60, 0, INT_MAX,
							PGC_SUSET, GUC_UNIT_S, NULL, NULL, NULL);
	DefineCustomIntVariable("order_ext.review_reminder",
							"Time after which an unreviewed application raises an alert.",
							NULL, &setting_review_reminder,
							2 * 24 * 60 * 60, 0, INT_MAX,
							PGC_SUSET, GUC_UNIT_S, NULL, NULL, NULL);
	DefineCustomIntVariable("order_ext.return_window",
							"Time after the approval in which goods must be sent back.",
							"Then the after-sale closes automatically.",
							&setting_return_window,
							7 * 24 * 60 * 60, 0, INT_MAX,
							PGC_SUSET, GUC_UNIT_S, NULL, NULL, NULL);
	DefineCustomIntVariable("order_ext.auto_sign",
							"Time after which an order in status delivering counts as signed.",
							NULL, &setting_auto_sign,
							15 * 24 * 60 * 60, 0, INT_MAX,
							PGC_SUSET, GUC_UNIT_S, NULL, NULL, NULL);
	DefineCustomEnumVariable("order_ext.coupon_return",
							 "What happens to a coupon that comes back expired.",
							 "as_is: it stays expired; extend: it becomes valid again "
							 "for order_ext.coupon_extension.",
							 &setting_coupon_return,
							 COUPON_RETURN_AS_IS, coupon_return_words,
							 PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("order_ext.coupon_extension",
							"How long an extended coupon is valid again.",
							NULL, &setting_coupon_extension,
							7 * 24 * 60 * 60, 1, INT_MAX,
							PGC_SUSET, GUC_UNIT_S, NULL, NULL, NULL);
}

static void
define_message_settings(void)
{
	DefineCustomIntVariable("order_ext.batch_size",
							"Maximum number of messages in one batch of a dispatcher.",
							NULL, &setting_batch_size,
							500, 1, 10000,
							PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("order_ext.workers",
							"Dispatchers per database and role.",
							NULL, &setting_workers,
							1, 1, 64,
							PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("order_ext.handler_timeout",
							"Maximum run time of a handler; 0 turns the limit off.",
							"The handler is canceled; if it catches that, its process "
							"is terminated after the same time again.",
							&setting_handler_timeout,
							30000, 0, INT_MAX,
							PGC_SUSET, GUC_UNIT_MS, NULL, NULL, NULL);
	DefineCustomIntVariable("order_ext.max_payload",
							"Maximum size of a message's payload, and of a jsonb argument.",
							NULL, &setting_max_payload,
							256 * 1024, 1024, 64 * 1024 * 1024,
							PGC_SUSET, GUC_UNIT_BYTE, NULL, NULL, NULL);
	DefineCustomIntVariable("order_ext.log_retention",
							"Minimum time for which the message log is kept.",
							NULL, &setting_log_retention,
							24 * 60 * 60, 0, INT_MAX,
							PGC_SUSET, GUC_UNIT_S, NULL, NULL, NULL);
	DefineCustomIntVariable("order_ext.log_segment_size",
							"Size at which the log continues in its next segment.",
							NULL, &setting_log_segment_size,
							1024 * 1024, 64, INT_MAX,
							PGC_SUSET, GUC_UNIT_KB, NULL, NULL, NULL);
	DefineCustomIntVariable("order_ext.backlog_alert_age",
							"Age of a group's oldest message that raises an alert; 0 turns it off.",
							NULL, &setting_backlog_alert_age,
							60 * 60, 0, INT_MAX,
							PGC_SUSET, GUC_UNIT_S, NULL, NULL, NULL);
	DefineCustomIntVariable("order_ext.backlog_alert_size",
							"Size of log held back by a group that raises an alert; 0 turns it "
							"off.",
							NULL, &setting_backlog_alert_size,
							8 * 1024 * 1024, 0, INT_MAX,
							PGC_SUSET, GUC_UNIT_KB, NULL, NULL, NULL);
	DefineCustomBoolVariable("order_ext.enabled",
							 "Lets background workers run in a database.",
							 "Set it off with ALTER DATABASE to keep them out.",
							 &setting_enabled, true,
							 PGC_SUSET, 0, NULL, NULL, NULL);
}

void
settings_define(void)
{
	define_order_settings();
	define_after_sale_settings();
	define_message_settings();
	MarkGUCPrefixReserved("order_ext");
}

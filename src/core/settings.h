/*
 * settings.h
 *		The settings (GUCs) of order_ext; see README.md, "Settings".
 */
#ifndef ORDER_EXT_SETTINGS_H
#define ORDER_EXT_SETTINGS_H

#include "postgres.h"

extern int	setting_pay_timeout;	/* seconds */
extern int	setting_lock_timeout;	/* milliseconds, 0 = fail at once */
extern char *setting_currency;	/* a code of currency.h */
extern int	setting_error_detail;	/* an ErrorDetail */
extern char *setting_operator;	/* empty: none is stated; see call_operator() */
extern int	setting_batch_size; /* messages of a batch */
extern int	setting_workers;	/* dispatchers per database and role */
extern int	setting_handler_timeout;	/* milliseconds */
extern int	setting_max_payload;	/* bytes */
extern int	setting_log_retention;	/* seconds */
extern int	setting_log_segment_size;	/* kB */
extern int	setting_backlog_alert_age;	/* seconds, 0 = off */
extern int	setting_backlog_alert_size; /* kB, 0 = off */
extern int	setting_request_retention;	/* seconds */
extern int	setting_order_retention;	/* seconds, -1 = forever */
extern int	setting_archive_retention;	/* the same */
extern int	setting_verify_interval;	/* seconds between full checks, 0 = off */
extern int	setting_after_sale_window;	/* seconds after the order was signed */
extern int	setting_review_reminder;	/* seconds after the application */
extern int	setting_return_window;	/* seconds after the approval */
extern int	setting_auto_sign;	/* seconds after the order began to be delivered */
extern int	setting_coupon_return;	/* a CouponReturn */
extern int	setting_coupon_extension;	/* seconds */
extern bool setting_enabled;	/* background workers run in this database */

/* What happens to a coupon that is returned after its validity has ended. */
typedef enum CouponReturn
{
	COUPON_RETURN_AS_IS,
	COUPON_RETURN_EXTEND
} CouponReturn;

/* What DETAIL of an error is; see error_facts.h. */
typedef enum ErrorDetail
{
	ERROR_DETAIL_TEXT,
	ERROR_DETAIL_JSON
} ErrorDetail;

/* Define all settings; called once from _PG_init. */
extern void settings_define(void);

#endif							/* ORDER_EXT_SETTINGS_H */

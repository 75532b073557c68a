/*
 * codes.c
 *		The codes by name; see codes.h.
 */
#include "compat.h"

#include "machine/base/codes.h"

static const CodeName product_kinds[] = {
	{KIND_NORMAL, "normal"},
	{KIND_VIRTUAL, "virtual"},
	{0, NULL}
};

static const CodeName cancel_types[] = {
	{CANCEL_BY_USER, "user"},
	{CANCEL_BY_TIMEOUT, "timeout"},
	{CANCEL_BY_CUSTOMER_SERVICE, "customer_service"},
	{0, NULL}
};

static const CodeName reservations[] = {
	{RESERVATION_NONE, "none"},
	{RESERVATION_OPEN, "reserved"},
	{RESERVATION_CONSUMED, "consumed"},
	{RESERVATION_RELEASED, "released"},
	{0, NULL}
};

static const CodeName ledger_kinds[] = {
	{LEDGER_RESERVE, "reserve"},
	{LEDGER_RELEASE, "release"},
	{LEDGER_CONSUME, "consume"},
	{LEDGER_ADJUST, "adjust"},
	{LEDGER_RETURN, "return"},
	{LEDGER_WRITE_OFF, "write_off"},
	{LEDGER_ARCHIVE, "archive"},
	{0, NULL}
};

static const CodeName payment_purposes[] = {
	{PURPOSE_APPLIED, "applied"},
	{PURPOSE_LATE, "late"},
	{PURPOSE_SURPLUS, "surplus"},
	{PURPOSE_HELD, "held"},
	{PURPOSE_UNMATCHED, "unmatched"},
	{PURPOSE_DUPLICATE, "duplicate"},
	{0, NULL}
};

static const CodeName refund_causes[] = {
	{CAUSE_CANCEL, "cancel"},
	{CAUSE_LATE, "late"},
	{CAUSE_SURPLUS, "surplus"},
	{CAUSE_HELD, "held"},
	{CAUSE_UNMATCHED, "unmatched"},
	{CAUSE_AFTER_SALE, "after_sale"},
	{CAUSE_RECORDED, "recorded"},
	{CAUSE_DISPUTE, "dispute"},
	{0, NULL}
};

static const CodeName dispute_statuses[] = {
	{DISPUTE_OPENED, "opened"},
	{DISPUTE_WON, "won"},
	{DISPUTE_LOST, "lost"},
	{0, NULL}
};

static const CodeName money_facts[] = {
	{MONEY_FACT_REFUND, "record_refund"},
	{MONEY_FACT_DISPUTE_OPENED, "dispute_opened"},
	{MONEY_FACT_DISPUTE_WON, "dispute_won"},
	{MONEY_FACT_DISPUTE_LOST, "dispute_lost"},
	{0, NULL}
};

static const CodeName document_kinds[] = {
	{DELIVERY_ORDER, "delivery_order"},
	{LOGISTIC_ORDER, "logistic_order"},
	{0, NULL}
};

static const CodeName shipment_kinds[] = {
	{SHIPMENT_PICKED, "picked"},
	{SHIPMENT_OUT_STOCK, "out_stock"},
	{SHIPMENT_DELIVERING, "delivering"},
	{SHIPMENT_SIGNED, "signed"},
	{SHIPMENT_REFUSED, "refused"},
	{SHIPMENT_LOST, "lost"},
	{SHIPMENT_RETURNED, "returned"},
	{SHIPMENT_CANCEL_ACCEPTED, "cancel_accepted"},
	{SHIPMENT_CANCEL_REJECTED, "cancel_rejected"},
	{0, NULL}
};

static const CodeName shipment_states[] = {
	{SHIPMENT_APPLIED, "applied"},
	{SHIPMENT_PARKED, "parked"},
	{SHIPMENT_HELD, "held"},
	{SHIPMENT_BEHIND, "behind"},
	{SHIPMENT_NO_EFFECT, "no_effect"},
	{0, NULL}
};

static const CodeName after_sale_types[] = {
	{AFTER_SALE_REFUND_ONLY, "refund_only"},
	{AFTER_SALE_RETURN_REFUND, "return_refund"},
	{AFTER_SALE_GOODWILL, "goodwill"},
	{0, NULL}
};

static const CodeName after_sale_details[] = {
	{DETAIL_ALL, "all"},
	{DETAIL_TIMEOUT, "timeout"},
	{DETAIL_USER_CANCEL, "user_cancel"},
	{DETAIL_STAFF_CANCEL, "customer_service_cancel"},
	{DETAIL_PART, "part"},
	{DETAIL_SHORTAGE, "shortage"},
	{0, NULL}
};

static const CodeName after_sale_sources[] = {
	{SOURCE_USER_REFUND, "user_refund"},
	{SOURCE_SYSTEM, "system"},
	{SOURCE_CUSTOMER_SERVICE, "customer_service"},
	{SOURCE_USER_RETURN, "user_return"},
	{SOURCE_FULFILMENT, "fulfilment"},
	{0, NULL}
};

static const CodeName after_sale_reasons[] = {
	{REASON_NUMBER, "number"},
	{REASON_QUALITY, "quality"},
	{REASON_PACKAGE, "package"},
	{REASON_LOGISTICS, "logistics"},
	{REASON_COURIER, "courier"},
	{REASON_USER, "user"},
	{REASON_PRICE, "price"},
	{REASON_CANCEL, "canceled"},
	{REASON_FORCED, "forced"},
	{REASON_REFUSED, "refused"},
	{REASON_OTHER, "other"},
	{0, NULL}
};

static const CodeName return_facts[] = {
	{RETURN_FACT_SHIPMENT, "return_shipment"},
	{RETURN_FACT_RECEIPT, "return_receipt"},
	{RETURN_FACT_RESOLVED, "resolve_damaged"},
	{0, NULL}
};

static const struct
{
	const char *name;
	const CodeName *codes;
}			code_sets[CODE_SETS] = {
	[CODES_PRODUCT_KIND] = {"product_kind", product_kinds},
	[CODES_CANCEL_TYPE] = {"cancel_type", cancel_types},
	[CODES_RESERVATION] = {"reservation", reservations},
	[CODES_LEDGER_KIND] = {"ledger_kind", ledger_kinds},
	[CODES_PAYMENT_PURPOSE] = {"payment_purpose", payment_purposes},
	[CODES_REFUND_CAUSE] = {"refund_cause", refund_causes},
	[CODES_DISPUTE_STATUS] = {"dispute_status", dispute_statuses},
	[CODES_MONEY_FACT] = {"money_fact", money_facts},
	[CODES_DOCUMENT_KIND] = {"document_kind", document_kinds},
	[CODES_SHIPMENT_KIND] = {"shipment_kind", shipment_kinds},
	[CODES_SHIPMENT_STATE] = {"shipment_state", shipment_states},
	[CODES_AFTER_SALE_TYPE] = {"after_sale_type", after_sale_types},
	[CODES_AFTER_SALE_DETAIL] = {"after_sale_detail", after_sale_details},
	[CODES_AFTER_SALE_SOURCE] = {"after_sale_source", after_sale_sources},
	[CODES_AFTER_SALE_REASON] = {"after_sale_reason", after_sale_reasons},
	[CODES_RETURN_FACT] = {"return_fact", return_facts}
};

const char *
code_name(CodeSet set, int16 code)
{
	const CodeName *entry;

	for (entry = code_sets[set].codes; entry->name != NULL; entry++)
	{
		if (entry->code == code)
			return entry->name;
	}
	return NULL;
}

const CodeName *
codes_of_set(CodeSet set, const char **name)
{
	*name = code_sets[set].name;
	return code_sets[set].codes;
}

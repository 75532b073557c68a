/*
 * held_fact.h
 *		Facts from outside that contradict what is recorded. They are kept as they were told, staff
 *		is alerted, and verify() warns of each until its matter has ended or staff says what was
 *		done about it, with resolve_fact().
 */
#ifndef ORDER_EXT_MACHINE_BASE_HELD_FACT_H
#define ORDER_EXT_MACHINE_BASE_HELD_FACT_H

#include "machine/base/journal.h"

/* The calls that report facts; the view held_facts has their names. */
#define FACT_PAY_CALLBACK		"pay_callback"
#define FACT_PAYMENT_CLOSED		"payment_closed"
#define FACT_REFUND_CALLBACK	"refund_callback"
#define FACT_RECORD_REFUND		"record_refund"
#define FACT_PAYMENT_DISPUTED	"payment_disputed"
#define FACT_SHIPMENT_EVENT		"shipment_event"
#define FACT_CANCEL_RESULT		"fulfilment_cancel_result"
#define FACT_RETURN_SHIPMENT	"return_shipment"
#define FACT_RETURN_RECEIPT		"return_receipt"

/* What a held fact is about. */
typedef struct HeldFact
{
	const char *kind;			/* FACT_... */
	int64		order_id;		/* as told; 0: the fact names none, and none is known */
	int64		entity_id;		/* the payment, refund or after-sale; 0: none */
	const char *reason;			/* NULL: its kind says enough */
	Jsonb	   *told;			/* what was reported; NULL: the payload of the alert says it */
} HeldFact;

/*
 * Record a held fact and alert the operators: an alert of the given kind (core/alert.h) with the
 * key, and the contents of the payload, which the caller has begun. To be called once for each
 * fact, not when it is repeated.
 */
extern void held_fact_record(Journal *journal, const HeldFact *fact, const char *alert, int64 key,
							 JsonbBuilder *payload);

/* Record what staff did about a held fact; false if that was recorded before. OE001. */
extern bool held_fact_resolve(int64 fact_id, const char *note, TimestampTz at);

#endif							/* ORDER_EXT_MACHINE_BASE_HELD_FACT_H */

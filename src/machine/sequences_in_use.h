/*
 * sequences_in_use.h
 *		Sequences and the columns that have their numbers.
 */
#ifndef ORDER_EXT_SEQUENCES_IN_USE_H
#define ORDER_EXT_SEQUENCES_IN_USE_H

#include "machine/base/codes.h"

#define SEQUENCE_USED(sequence, table, column) \
	" UNION ALL SELECT '" sequence "', max(" column ") FROM order_ext_internal." table
#define SEQUENCE_USED_IDENTITY(table, column) \
	SEQUENCE_USED(table "_" column "_seq", table, column)

/*
 * Rows (sequence, newest): the highest number that is in use of each sequence that has an index
 * for it. message_ids: an expression for that of the messages in the log.
 */
#define SEQUENCES_IN_USE(message_ids) \
	"SELECT 'message_id_seq' AS sequence, greatest(" message_ids "," \
	"  (SELECT max(message_id) FROM order_ext_internal.timers_far)," \
	"  (SELECT max(message_id) FROM order_ext_internal.timers_moved)) AS newest" \
	SEQUENCE_USED("payment_id_seq", "payments", "payment_id") \
	SEQUENCE_USED("refund_id_seq", "refunds", "refund_id") \
	SEQUENCE_USED("after_sale_id_seq", "after_sales", "after_sale_id") \
	SEQUENCE_USED("document_id_seq", "fulfilment_documents", "document_id") \
	SEQUENCE_USED("topic_id_seq", "topics WHERE NOT builtin", "topic_id") \
	SEQUENCE_USED("group_id_seq", "consumer_groups WHERE NOT builtin", "group_id") \
	SEQUENCE_USED("lease_receipt_seq", "lease_receipts", "receipt") \
	SEQUENCE_USED_IDENTITY("products", "product_id") \
	SEQUENCE_USED_IDENTITY("coupons", "coupon_id") \
	SEQUENCE_USED_IDENTITY("payment_events", "event_id") \
	SEQUENCE_USED_IDENTITY("refund_events", "event_id") \
	SEQUENCE_USED_IDENTITY("payment_notices", "notice_id") \
	SEQUENCE_USED_IDENTITY("money_facts", "fact_id") \
	SEQUENCE_USED_IDENTITY("held_facts", "fact_id") \
	SEQUENCE_USED_IDENTITY("after_sale_events", "event_id")

/*
 * The same of all sequences, for which tables are read as a whole; of the stock ledger, what was
 * adjusted without an order. Only order_number_seq is not among them: it goes round, a number
 * counts within one second only, and create_order() takes the next one where it is taken.
 */
#define ALL_SEQUENCES_IN_USE \
	ALL_SEQUENCES_BUT_MESSAGES("(SELECT max(message_id) FROM order_ext_internal.message_log)")

/* The same, with an expression for the messages in the log. */
#define ALL_SEQUENCES_BUT_MESSAGES(message_ids) \
	SEQUENCES_IN_USE(message_ids "," \
		" (SELECT max(message_id) FROM order_ext_internal.timer_ring)") \
	SEQUENCE_USED("parked_seq", "parked_messages", "n") \
	SEQUENCE_USED("stock_adjustment_seq", \
				  "stock_ledger WHERE order_id = 0 AND kind = " CODE(LEDGER_ADJUST), "ref")

/* Raise those that are behind; see SequencesRaise of message/upkeep/sequences.h. */
extern void sequences_raise_used(bool all);

#endif							/* ORDER_EXT_SEQUENCES_IN_USE_H */

-- What the views show, column by column; see 841_comments_orders.sql.  Amounts are in minor
-- units, statuses are names; no view but held_facts, which only
-- operators see whole, shows what gateways and carriers sent.

COMMENT ON VIEW order_ext.orders_view IS 'Orders with their amounts.';
COMMENT ON COLUMN order_ext.orders_view.order_id IS 'Id returned by create_order.';
COMMENT ON COLUMN order_ext.orders_view.user_id IS 'The buyer.';
COMMENT ON COLUMN order_ext.orders_view.status IS 'Status by name.';
COMMENT ON COLUMN order_ext.orders_view.pay_amount IS 'To pay, in minor units.';
COMMENT ON COLUMN order_ext.orders_view.currency IS 'Currency of all amounts of the order.';
COMMENT ON COLUMN order_ext.orders_view.coupon_id IS 'Coupon it was created with.';
COMMENT ON COLUMN order_ext.orders_view.external_id IS 'The application''s own number, unique.';
COMMENT ON COLUMN order_ext.orders_view.version IS '1 after creation, one more with every transition.';
COMMENT ON COLUMN order_ext.orders_view.created_at IS 'When it was created.';
COMMENT ON COLUMN order_ext.orders_view.expire_at IS 'Payment deadline.';
COMMENT ON COLUMN order_ext.orders_view.paid_at IS 'When it was paid.';
COMMENT ON COLUMN order_ext.orders_view.canceled_at IS 'When it was canceled.';
COMMENT ON COLUMN order_ext.orders_view.cancel_type IS 'user, timeout or customer_service; NULL unless canceled.';
COMMENT ON COLUMN order_ext.orders_view.origin_amount IS 'Goods total before discount, in minor units.';
COMMENT ON COLUMN order_ext.orders_view.discount_amount IS 'Discount by the coupon, in minor units.';
COMMENT ON COLUMN order_ext.orders_view.freight_amount IS 'Freight, in minor units.';
COMMENT ON COLUMN order_ext.orders_view.removed_at IS 'When its buyer hid it.';

COMMENT ON VIEW order_ext.order_items_view IS 'Lines of orders.';
COMMENT ON COLUMN order_ext.order_items_view.order_id IS 'The order.';
COMMENT ON COLUMN order_ext.order_items_view.sku IS 'The product.';
COMMENT ON COLUMN order_ext.order_items_view.quantity IS 'Pieces.';
COMMENT ON COLUMN order_ext.order_items_view.price IS 'Of one piece when the order was created, in minor units.';
COMMENT ON COLUMN order_ext.order_items_view.discount IS 'This line''s share of the coupon, in minor units.';
COMMENT ON COLUMN order_ext.order_items_view.pay IS 'price * quantity - discount.';
COMMENT ON COLUMN order_ext.order_items_view.reservation IS 'none, reserved, consumed or released.';

COMMENT ON VIEW order_ext.payments_view IS 'Payment attempts and captures.';
COMMENT ON COLUMN order_ext.payments_view.payment_id IS 'Id of the attempt or capture.';
COMMENT ON COLUMN order_ext.payments_view.order_id IS 'As the gateway named it; if purpose is unmatched there may be no such order.';
COMMENT ON COLUMN order_ext.payments_view.pay_type IS 'Name of the gateway or method.';
COMMENT ON COLUMN order_ext.payments_view.out_trade_no IS 'The gateway''s trade number, unique per pay_type.';
COMMENT ON COLUMN order_ext.payments_view.amount IS 'In minor units.';
COMMENT ON COLUMN order_ext.payments_view.currency IS 'Currency of the amount.';
COMMENT ON COLUMN order_ext.payments_view.status IS 'Status by name.';
COMMENT ON COLUMN order_ext.payments_view.purpose IS 'Of a capture: applied (it paid the order), late, surplus, held or unmatched.';
COMMENT ON COLUMN order_ext.payments_view.captured_at IS 'When the capture was recorded.';
COMMENT ON COLUMN order_ext.payments_view.paid_at IS 'The gateway''s own time of the capture.';
COMMENT ON COLUMN order_ext.payments_view.created_at IS 'When the attempt began, or the capture was recorded.';
COMMENT ON COLUMN order_ext.payments_view.version IS '1 after creation, one more with every transition.';

COMMENT ON VIEW order_ext.refunds_view IS 'Refunds, from requested to settled.';
COMMENT ON COLUMN order_ext.refunds_view.refund_id IS 'Idempotency key for the gateway: same on every attempt.';
COMMENT ON COLUMN order_ext.refunds_view.order_id IS 'The order that the payment named.';
COMMENT ON COLUMN order_ext.refunds_view.payment_id IS 'The captured payment.';
COMMENT ON COLUMN order_ext.refunds_view.cause IS 'cancel, late, surplus, held, unmatched or after_sale.';
COMMENT ON COLUMN order_ext.refunds_view.amount IS 'In minor units.';
COMMENT ON COLUMN order_ext.refunds_view.currency IS 'Currency of the payment.';
COMMENT ON COLUMN order_ext.refunds_view.status IS 'Status by name.';
COMMENT ON COLUMN order_ext.refunds_view.attempt IS 'How often the gateway was asked.';
COMMENT ON COLUMN order_ext.refunds_view.requested_at IS 'When it was requested.';
COMMENT ON COLUMN order_ext.refunds_view.settled_at IS 'When its outcome became known.';
COMMENT ON COLUMN order_ext.refunds_view.after_sale_id IS 'The after-sale that it belongs to.';
COMMENT ON COLUMN order_ext.refunds_view.held IS 'Waits for retry_refund, or for the inspection of returned goods.';
COMMENT ON COLUMN order_ext.refunds_view.version IS '1 after creation, one more with every transition.';
COMMENT ON COLUMN order_ext.refunds_view.gateway_refund_no IS 'The gateway''s number.';
COMMENT ON COLUMN order_ext.refunds_view.last_outcome IS 'What the gateway reported last, or its error. Not for observers: it may quote the request.';
COMMENT ON COLUMN order_ext.refunds_view.claimed_by IS 'The worker that claimed it.';
COMMENT ON COLUMN order_ext.refunds_view.lease_until IS 'End of the claim.';

COMMENT ON VIEW order_ext.after_sales_view IS 'After-sales: what of an order goes back, why, and how far it is.';
COMMENT ON COLUMN order_ext.after_sales_view.after_sale_id IS 'Id of the after-sale.';
COMMENT ON COLUMN order_ext.after_sales_view.order_id IS 'The order.';
COMMENT ON COLUMN order_ext.after_sales_view.user_id IS 'The buyer.';
COMMENT ON COLUMN order_ext.after_sales_view.type IS 'refund_only, or return_refund (the goods come back first).';
COMMENT ON COLUMN order_ext.after_sales_view.status IS 'Status by name.';
COMMENT ON COLUMN order_ext.after_sales_view.amount IS 'Refunded, freight included, in minor units.';
COMMENT ON COLUMN order_ext.after_sales_view.applied_at IS 'When it was applied for, or opened.';
COMMENT ON COLUMN order_ext.after_sales_view.freight IS 'The freight in amount.';
COMMENT ON COLUMN order_ext.after_sales_view.detail_type IS 'all, timeout, user_cancel, customer_service_cancel, part or shortage.';
COMMENT ON COLUMN order_ext.after_sales_view.source IS 'user_refund, system, customer_service, user_return or fulfilment.';
COMMENT ON COLUMN order_ext.after_sales_view.reason_kind IS 'number, quality, package, logistics, courier, user, price, canceled, forced, refused or other.';
COMMENT ON COLUMN order_ext.after_sales_view.reason IS 'Reason given by the applicant.';
COMMENT ON COLUMN order_ext.after_sales_view.review_reason IS 'Reason given by the reviewer.';
COMMENT ON COLUMN order_ext.after_sales_view.origin IS 'What opened it, if nobody applied: cancel, refused, or shortage:N.';
COMMENT ON COLUMN order_ext.after_sales_view.return_status IS 'Of the goods of a return_refund, by name.';
COMMENT ON COLUMN order_ext.after_sales_view.carrier IS 'Carrier of the returned goods.';
COMMENT ON COLUMN order_ext.after_sales_view.tracking_no IS 'Its tracking number.';
COMMENT ON COLUMN order_ext.after_sales_view.reviewed_at IS 'When it was reviewed.';
COMMENT ON COLUMN order_ext.after_sales_view.return_by IS 'Time by which the goods must be sent.';
COMMENT ON COLUMN order_ext.after_sales_view.goods_sent_at IS 'When they were sent.';
COMMENT ON COLUMN order_ext.after_sales_view.goods_received_at IS 'When they were received.';
COMMENT ON COLUMN order_ext.after_sales_view.settled_at IS 'When it ended.';
COMMENT ON COLUMN order_ext.after_sales_view.version IS '1 after creation, one more with every transition.';

COMMENT ON VIEW order_ext.after_sale_items_view IS 'Lines of after-sales.';
COMMENT ON COLUMN order_ext.after_sale_items_view.after_sale_id IS 'The after-sale.';
COMMENT ON COLUMN order_ext.after_sale_items_view.order_id IS 'The order.';
COMMENT ON COLUMN order_ext.after_sale_items_view.sku IS 'The product.';
COMMENT ON COLUMN order_ext.after_sale_items_view.quantity IS 'Pieces that go back.';
COMMENT ON COLUMN order_ext.after_sale_items_view.amount IS 'Refunded for them, in minor units.';
COMMENT ON COLUMN order_ext.after_sale_items_view.discount IS 'Their part of the line''s share of the coupon, in minor units.';
COMMENT ON COLUMN order_ext.after_sale_items_view.received IS 'Pieces that were received.';
COMMENT ON COLUMN order_ext.after_sale_items_view.damaged IS 'Pieces of those that are damaged.';
COMMENT ON COLUMN order_ext.after_sale_items_view.restocked IS 'Pieces of those that are available again.';

COMMENT ON VIEW order_ext.after_sale_events_view IS 'What warehouses and carriers reported about returned goods.';
COMMENT ON COLUMN order_ext.after_sale_events_view.after_sale_id IS 'As reported.';
COMMENT ON COLUMN order_ext.after_sale_events_view.kind IS 'return_shipment or return_receipt.';
COMMENT ON COLUMN order_ext.after_sale_events_view.disposition IS 'applied, or held (waits for staff).';
COMMENT ON COLUMN order_ext.after_sale_events_view.reason IS 'Why it is held.';
COMMENT ON COLUMN order_ext.after_sale_events_view.recorded_at IS 'When it was recorded.';

COMMENT ON VIEW order_ext.sandbox_ledger IS 'The books of the built-in gateway sandbox, kept as an outside gateway would.';
COMMENT ON COLUMN order_ext.sandbox_ledger.refund_id IS 'The refund.';
COMMENT ON COLUMN order_ext.sandbox_ledger.amount IS 'In minor units.';
COMMENT ON COLUMN order_ext.sandbox_ledger.calls IS 'How often it was asked for.';
COMMENT ON COLUMN order_ext.sandbox_ledger.outcome IS 'succeeded (the money has moved, once), failed or pending.';
COMMENT ON COLUMN order_ext.sandbox_ledger.at IS 'When it was asked for last.';

COMMENT ON VIEW order_ext.fulfilments_view IS 'Fulfillments: what warehouse and carrier do for orders.';
COMMENT ON COLUMN order_ext.fulfilments_view.order_id IS 'The order.';
COMMENT ON COLUMN order_ext.fulfilments_view.status IS 'Status by name; canceled without documents is a tombstone.';
COMMENT ON COLUMN order_ext.fulfilments_view.external IS 'Shipped by a warehouse that must be asked before a cancel.';
COMMENT ON COLUMN order_ext.fulfilments_view.intercept_refused IS 'It was asked and has refused.';
COMMENT ON COLUMN order_ext.fulfilments_view.delivery_order IS 'Document of the warehouse.';
COMMENT ON COLUMN order_ext.fulfilments_view.logistic_order IS 'Document of the carrier.';
COMMENT ON COLUMN order_ext.fulfilments_view.created_at IS 'When it was created.';
COMMENT ON COLUMN order_ext.fulfilments_view.out_at IS 'When the goods left the warehouse.';
COMMENT ON COLUMN order_ext.fulfilments_view.cancel_requested_at IS 'When the warehouse was asked.';
COMMENT ON COLUMN order_ext.fulfilments_view.canceled_at IS 'When it was canceled.';
COMMENT ON COLUMN order_ext.fulfilments_view.version IS '1 after creation, one more with every transition.';

COMMENT ON VIEW order_ext.held_facts IS 'Facts from outside that contradict what is recorded: they are kept for staff.';
COMMENT ON COLUMN order_ext.held_facts.fact_id IS 'For resolve_fact.';
COMMENT ON COLUMN order_ext.held_facts.kind IS 'The call that reported it.';
COMMENT ON COLUMN order_ext.held_facts.at IS 'When it was held.';
COMMENT ON COLUMN order_ext.held_facts.order_id IS 'The order, as reported; NULL where the fact names none that is known.';
COMMENT ON COLUMN order_ext.held_facts.entity_id IS 'The payment, refund or after-sale that it is about.';
COMMENT ON COLUMN order_ext.held_facts.reason IS 'Why it is held; a word that the call returned, too.';
COMMENT ON COLUMN order_ext.held_facts.payload IS 'What was reported.';
COMMENT ON COLUMN order_ext.held_facts.resolved_at IS 'When staff said what was done about it.';
COMMENT ON COLUMN order_ext.held_facts.note IS 'What was done.';
COMMENT ON COLUMN order_ext.held_facts.resolved_by IS 'The role that said so.';

COMMENT ON VIEW order_ext.shipment_events_view IS 'Events that warehouses and carriers reported.';
COMMENT ON COLUMN order_ext.shipment_events_view.order_id IS 'As reported.';
COMMENT ON COLUMN order_ext.shipment_events_view.event_id IS 'The sender''s id of the event.';
COMMENT ON COLUMN order_ext.shipment_events_view.kind IS 'picked, out_stock, delivering, signed, refused, cancel_accepted or cancel_rejected.';
COMMENT ON COLUMN order_ext.shipment_events_view.state IS 'applied, parked (came early), held (waits for staff), behind (the order was past it) or no_effect.';
COMMENT ON COLUMN order_ext.shipment_events_view.reason IS 'Why it is held.';
COMMENT ON COLUMN order_ext.shipment_events_view.occurred_at IS 'The sender''s time.';
COMMENT ON COLUMN order_ext.shipment_events_view.recorded_at IS 'When it was recorded.';
COMMENT ON COLUMN order_ext.shipment_events_view.settled_at IS 'When it was recorded, or left state parked.';

COMMENT ON VIEW order_ext.coupons_view IS 'Coupons and the orders that hold them.';
COMMENT ON COLUMN order_ext.coupons_view.coupon_id IS 'Id of the coupon.';
COMMENT ON COLUMN order_ext.coupons_view.user_id IS 'The only user who can use it.';
COMMENT ON COLUMN order_ext.coupons_view.status IS 'Status by name.';
COMMENT ON COLUMN order_ext.coupons_view.order_id IS 'The order that holds it while it is locked or used.';
COMMENT ON COLUMN order_ext.coupons_view.amount IS 'In minor units.';
COMMENT ON COLUMN order_ext.coupons_view.threshold IS 'The least goods total that it can be used for, in minor units.';
COMMENT ON COLUMN order_ext.coupons_view.valid_from IS 'Beginning of its validity.';
COMMENT ON COLUMN order_ext.coupons_view.valid_until IS 'End of its validity.';
COMMENT ON COLUMN order_ext.coupons_view.version IS '1 after creation, one more with every transition.';
COMMENT ON COLUMN order_ext.coupons_view.currency IS 'Of the orders that it can be used for; NULL: any (from before 0.6).';

COMMENT ON VIEW order_ext.prices_view IS 'Prices of products, one per currency.';
COMMENT ON COLUMN order_ext.prices_view.sku IS 'The product.';
COMMENT ON COLUMN order_ext.prices_view.currency IS 'An ISO 4217 code.';
COMMENT ON COLUMN order_ext.prices_view.price IS 'Of one piece, in minor units of the currency.';
COMMENT ON COLUMN order_ext.prices_view.updated_at IS 'When it was last put.';

COMMENT ON VIEW order_ext.freight_view IS 'Freight templates, one per region and currency.';
COMMENT ON COLUMN order_ext.freight_view.region IS 'As in options.region of an order; * for every region without a template of its own.';
COMMENT ON COLUMN order_ext.freight_view.currency IS 'Of the orders that it is for, an ISO 4217 code.';
COMMENT ON COLUMN order_ext.freight_view.fee IS 'In minor units of the currency.';
COMMENT ON COLUMN order_ext.freight_view.free_from IS 'Goods total from which freight is free; NULL: never.';

COMMENT ON VIEW order_ext.stock_ledger_view IS 'Movements of stock.';
COMMENT ON COLUMN order_ext.stock_ledger_view.sku IS 'The product.';
COMMENT ON COLUMN order_ext.stock_ledger_view.at IS 'When.';
COMMENT ON COLUMN order_ext.stock_ledger_view.order_id IS 'NULL for adjustments.';
COMMENT ON COLUMN order_ext.stock_ledger_view.kind IS 'reserve, release, consume, adjust, return or write_off.';
COMMENT ON COLUMN order_ext.stock_ledger_view.delta IS 'Change of the quantity on hand: the sum over a product is available + reserved.';
COMMENT ON COLUMN order_ext.stock_ledger_view.reason IS 'Reason given for an adjustment.';
COMMENT ON COLUMN order_ext.stock_ledger_view.available_delta IS 'Change of the available pieces.';
COMMENT ON COLUMN order_ext.stock_ledger_view.reserved_delta IS 'Change of the reserved pieces.';
COMMENT ON COLUMN order_ext.stock_ledger_view.consumed_delta IS 'Change of the consumed pieces.';

COMMENT ON VIEW order_ext.money_report IS 'Money captured and refunded per day, pay type and currency, in minor units.';
COMMENT ON COLUMN order_ext.money_report.day IS 'Day of the capture, settlement or request, in the session''s time zone.';
COMMENT ON COLUMN order_ext.money_report.pay_type IS 'Name of the gateway or method.';
COMMENT ON COLUMN order_ext.money_report.currency IS 'Currency of the sums.';
COMMENT ON COLUMN order_ext.money_report.captured IS 'applied + late + surplus + held + unmatched.';
COMMENT ON COLUMN order_ext.money_report.applied IS 'Captures that paid their order.';
COMMENT ON COLUMN order_ext.money_report.late IS 'Captures of orders that were canceled, refused or invalid.';
COMMENT ON COLUMN order_ext.money_report.surplus IS 'Captures of orders that were paid already.';
COMMENT ON COLUMN order_ext.money_report.held IS 'Captures that wait for staff, or waited.';
COMMENT ON COLUMN order_ext.money_report.refunded IS 'Refunds that succeeded, by the day they were settled.';
COMMENT ON COLUMN order_ext.money_report.refund_open IS 'Refunds still to be paid: requested, submitted, or failed and not settled in another way; by the day of the request.';
COMMENT ON COLUMN order_ext.money_report.unmatched IS 'Captures that match no order.';

COMMENT ON VIEW order_ext.topics_view IS 'Topics, how many groups read each, their options, owners and grants.';
COMMENT ON COLUMN order_ext.topics_view.topic IS 'Its name.';
COMMENT ON COLUMN order_ext.topics_view.builtin IS 'Belongs to order_ext: only order_ext publishes to it.';
COMMENT ON COLUMN order_ext.topics_view.consumer_groups IS 'Number of groups that read it.';
COMMENT ON COLUMN order_ext.topics_view.max_depth IS 'The most messages that can wait for the slowest group; NULL: unlimited.';
COMMENT ON COLUMN order_ext.topics_view.dedup_window IS 'How long a dedup_key is remembered; NULL for built-in topics.';
COMMENT ON COLUMN order_ext.topics_view.owner IS 'Role that may do everything with it; NULL if that role does not exist any more.';
COMMENT ON COLUMN order_ext.topics_view.grants IS 'What other roles were granted: {role: [privilege, ...]}.';

COMMENT ON VIEW order_ext.subscriptions_view IS 'Consumer groups with their handlers and options.';
COMMENT ON COLUMN order_ext.subscriptions_view.consumer_group IS 'Its name.';
COMMENT ON COLUMN order_ext.subscriptions_view.topic IS 'The topic that it reads.';
COMMENT ON COLUMN order_ext.subscriptions_view.handler IS 'Its function; NULL for external consumers and built-in handlers.';
COMMENT ON COLUMN order_ext.subscriptions_view.run_as IS 'The role that the handler runs as, or whose members can receive.';
COMMENT ON COLUMN order_ext.subscriptions_view.batch IS 'The handler takes an array of messages.';
COMMENT ON COLUMN order_ext.subscriptions_view.max_attempts IS 'Attempts after which a message is a dead letter.';
COMMENT ON COLUMN order_ext.subscriptions_view.backoff IS 'exponential or rocketmq.';
COMMENT ON COLUMN order_ext.subscriptions_view.builtin IS 'Belongs to order_ext.';
COMMENT ON COLUMN order_ext.subscriptions_view.created_at IS 'When it was created.';
COMMENT ON COLUMN order_ext.subscriptions_view.ordered IS 'While a message has failed, those of its key wait.';
COMMENT ON COLUMN order_ext.subscriptions_view.paused IS 'See pause.';
COMMENT ON COLUMN order_ext.subscriptions_view.subscriber IS 'The role that subscribed it last; NULL for a superuser.';

COMMENT ON VIEW order_ext.dead_letters IS 'Messages that a group gave up on, until they are redriven or discarded.';
COMMENT ON COLUMN order_ext.dead_letters.message_id IS 'The message.';
COMMENT ON COLUMN order_ext.dead_letters.consumer_group IS 'The group that gave it up.';
COMMENT ON COLUMN order_ext.dead_letters.topic IS 'Topic of the message.';
COMMENT ON COLUMN order_ext.dead_letters.key IS 'Key of the message.';
COMMENT ON COLUMN order_ext.dead_letters.payload IS 'Payload of the message. Not for observers.';
COMMENT ON COLUMN order_ext.dead_letters.attempts IS 'How often it was delivered.';
COMMENT ON COLUMN order_ext.dead_letters.last_error IS 'Error message of the last attempt. Not for observers: it may quote the payload.';
COMMENT ON COLUMN order_ext.dead_letters.last_sqlstate IS 'SQLSTATE of the last attempt.';
COMMENT ON COLUMN order_ext.dead_letters.died_at IS 'When it was given up.';

COMMENT ON VIEW order_ext.attempt_log IS 'Deliveries that did not simply succeed at the first attempt, within the log''s retention.';
COMMENT ON COLUMN order_ext.attempt_log.message_id IS 'The message.';
COMMENT ON COLUMN order_ext.attempt_log.consumer_group IS 'The group.';
COMMENT ON COLUMN order_ext.attempt_log.topic IS 'Topic of the message.';
COMMENT ON COLUMN order_ext.attempt_log.attempt IS 'From 1; starts over after redrive.';
COMMENT ON COLUMN order_ext.attempt_log.state IS 'done, retry, dead or discarded.';
COMMENT ON COLUMN order_ext.attempt_log.error IS 'Error message. Not for observers: it may quote the payload.';
COMMENT ON COLUMN order_ext.attempt_log.sqlstate IS 'SQLSTATE of the error.';
COMMENT ON COLUMN order_ext.attempt_log.worker IS 'The process that ran it.';
COMMENT ON COLUMN order_ext.attempt_log.started_at IS 'When it began.';
COMMENT ON COLUMN order_ext.attempt_log.duration IS 'How long it took.';

COMMENT ON VIEW order_ext.parked_keys IS 'Keys of ordered groups whose messages wait for an earlier one that has failed.';
COMMENT ON COLUMN order_ext.parked_keys.consumer_group IS 'The group.';
COMMENT ON COLUMN order_ext.parked_keys.key IS 'The key.';
COMMENT ON COLUMN order_ext.parked_keys.waiting IS 'Number of messages that wait.';
COMMENT ON COLUMN order_ext.parked_keys.since IS 'When the first of them was parked.';

COMMENT ON VIEW order_ext.consumer_stats IS 'How far each consumer group is. The counts of what is waiting are exact to 10,000, and estimates beyond, in which rows of transactions that were rolled back count, too.';
COMMENT ON COLUMN order_ext.consumer_stats.consumer_group IS 'The group.';
COMMENT ON COLUMN order_ext.consumer_stats.topic IS 'The topic that it reads.';
COMMENT ON COLUMN order_ext.consumer_stats.lag IS 'Messages that are committed and neither finished nor moved to the retries, leased ones included; 0 exactly if there are none.';
COMMENT ON COLUMN order_ext.consumer_stats.retrying IS 'Messages that have failed and are due again.';
COMMENT ON COLUMN order_ext.consumer_stats.dead IS 'Dead letters.';
COMMENT ON COLUMN order_ext.consumer_stats.oldest_age IS 'Age of the oldest unfinished message, dead letters excepted; where there are more than 10,000, of the first 10,000 in the order in which they are read.';
COMMENT ON COLUMN order_ext.consumer_stats.consumed IS 'Messages that were finished or moved to the retries, ever.';
COMMENT ON COLUMN order_ext.consumer_stats.parked IS 'Messages that wait for an earlier one of their key.';
COMMENT ON COLUMN order_ext.consumer_stats.lag_exact IS 'Whether lag is exact, not an estimate.';

COMMENT ON VIEW order_ext.timer_stats IS 'One row about the timers.';
COMMENT ON COLUMN order_ext.timer_stats.pending IS 'Timers that have not fired, void ones included; counting reads them all.';
COMMENT ON COLUMN order_ext.timer_stats.next_due IS 'When the next one is due.';
COMMENT ON COLUMN order_ext.timer_stats.fired IS 'Timers that have fired, ever.';
COMMENT ON COLUMN order_ext.timer_stats.late_p50 IS 'Median lateness, to within a factor of 1.42.';
COMMENT ON COLUMN order_ext.timer_stats.late_p99 IS '99th percentile of the lateness.';

COMMENT ON VIEW order_ext.worker_stats IS 'Background processes of all databases of the server, and why one is missing.';
COMMENT ON COLUMN order_ext.worker_stats.pid IS 'Process id; NULL: it is missing.';
COMMENT ON COLUMN order_ext.worker_stats.database IS 'NULL for the launcher.';
COMMENT ON COLUMN order_ext.worker_stats.role IS 'The role that it runs handlers as.';
COMMENT ON COLUMN order_ext.worker_stats.kind IS 'launcher (one per server), scheduler (timers) or dispatcher (messages).';
COMMENT ON COLUMN order_ext.worker_stats.state IS 'starting, idle, busy, failing, or not answering: stopped or stuck, no sign of life for 15 seconds, or a minute longer than a handler may take; without pid: disabled, not enabled (see enable_dispatch), other version, no worker slot, backing off, sent away, role is gone, role is a superuser, role may not log in, role may not connect, or too many roles (64 others have handlers here).';
COMMENT ON COLUMN order_ext.worker_stats.batches IS 'Since the process started.';
COMMENT ON COLUMN order_ext.worker_stats.messages IS 'Since the process started; of a scheduler, timers fired.';
COMMENT ON COLUMN order_ext.worker_stats.last_active IS 'When it last did something.';

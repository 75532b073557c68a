-- What the calls about after-sales, refunds and held money do; see 841_comments_orders.sql.

COMMENT ON FUNCTION order_ext.calculate_refund(bigint, jsonb) IS
'Calculates what an application for these lines would refund now.
Freight is refunded with the last pieces of an order. The result changes nothing.
order_id: the order
lines: [{"sku": "A-1", "quantity": 2}, {"line": 3, "quantity": 1}, ...]; a sku that is on several lines of the order needs its line''s number
Returns: {amount, freight, lines: [{line, sku, quantity, amount}]}, in minor units; amount includes the freight
Raises: 22004; 22023; 22003; 54000; OE001; OE501 more pieces than are left';

COMMENT ON FUNCTION order_ext.apply_after_sale(bigint, bigint, text, jsonb, text, text) IS
'Files a buyer''s application for a refund, or for a refund against returned goods.
order_id: an order that is signed or refused
user_id: its owner
type: refund_only, or return_refund (the goods come back first)
lines: as of calculate_refund
reason: up to 1000 characters
request_id: idempotency key, up to 128 characters
Returns: the after-sale; detail has after_sale_id, order_id, type, amount, freight and lines
Dispositions: applied; replayed
Raises: 22004; 22023; 22003; 54000; OE601; OE001; OE003 user_id is not the owner; OE101 not signed or refused, order_ext.after_sale_window is over, or virtual goods; OE501 more pieces than are left; OE110
Publishes: after_sale.applied; after_sale.review_due after order_ext.review_reminder';

COMMENT ON FUNCTION order_ext.review_after_sale(bigint, boolean, text, text) IS
'Accepts or rejects an application.
An accepted refund_only is refunded; the goods of an accepted return_refund must be sent within order_ext.return_window.
after_sale_id: an after-sale in status applied
accept: the decision
reason: up to 1000 characters
request_id: idempotency key, up to 128 characters
Returns: the after-sale; detail has after_sale_id, order_id, type, amount, freight and return_status
Dispositions: applied; replayed
Raises: 22004; 22023; 54000; OE601; OE001; OE503 not in status applied; OE101 nothing is left of the payment; OE110
Publishes: after_sale.reviewed; refund.execute; after_sale.refunded if there is nothing to pay; after_sale.auto_close at the end of order_ext.return_window';

COMMENT ON FUNCTION order_ext.revoke_after_sale(bigint, bigint, text) IS
'Withdraws the buyer''s application.
Possible before the goods are sent and before the refund is claimed; an unclaimed refund is withdrawn with it.
after_sale_id: the after-sale
user_id: its owner
request_id: idempotency key, up to 128 characters
Returns: the after-sale; detail as of review_after_sale
Dispositions: applied; replayed; noop already revoked
Raises: 22004; 22023; 54000; OE601; OE001; OE003 user_id is not the owner; OE101 too late, or over; OE110
Publishes: after_sale.revoked';

COMMENT ON FUNCTION order_ext.close_after_sale(bigint, text, text) IS
'Ends an after-sale that was settled in another way.
Possible from applied, failed, and approved; unclaimed refunds are withdrawn with it, also those of goods that have come back: refund_order pays them back otherwise. Not possible where the order is canceled or short of goods. Of a failed one, what some of its refunds have paid counts as given back, no more.
after_sale_id: the after-sale
reason: up to 1000 characters
request_id: idempotency key, up to 128 characters
Returns: the after-sale; detail as of review_after_sale
Dispositions: applied; replayed; noop already closed
Raises: 22004; 22023; 54000; OE601; OE001; OE101 not possible in its status; OE110';

COMMENT ON FUNCTION order_ext.reopen_after_sale(bigint, text) IS
'Puts a rejected application up for review again, at what it is worth now.
after_sale_id: an after-sale in status rejected
request_id: idempotency key, up to 128 characters
Returns: the after-sale, in status applied; detail as of review_after_sale
Dispositions: applied; replayed; noop already in status applied
Raises: 22004; 22023; 54000; OE601; OE001; OE101 not rejected; OE501 its pieces have been refunded meanwhile; OE110
Publishes: after_sale.review_due after order_ext.review_reminder';

COMMENT ON FUNCTION order_ext.return_shipment(bigint, text, text, text) IS
'Records that goods are on their way back.
The fact is recorded whatever the state of the after-sale.
after_sale_id: the after-sale
carrier: up to 64 characters
tracking_no: up to 128 characters
request_id: idempotency key, up to 128 characters
Returns: the after-sale, if there is one; detail as of review_after_sale, with carrier and tracking_no, and reason where held
Dispositions: applied; replayed; held waits for staff: unknown after-sale, not expected now, or another parcel than the first before anything has come back
Raises: 22004; 22023; 54000; OE110
Publishes: ops.alert';

COMMENT ON FUNCTION order_ext.return_receipt(bigint, jsonb, boolean, text) IS
'Records which goods have come back, and in what condition.
The fact is recorded whatever the state of the after-sale.
Each receipt has a refund of its own; all of them together are worth what one receipt of everything would be, and the freight goes with the last piece. What has not come when order_ext.return_window after the approval is over leaves the after-sale, and can be applied for again; a receipt later than that gives the rest as much time again.
after_sale_id: the after-sale
lines: what arrived, [{"sku": "A-1", "quantity": 2, "condition": "ok"}, ...], or by line as of calculate_refund; condition is ok (default) or damaged
restock: true: pieces in order become available again; false: they are written off
request_id: idempotency key, up to 128 characters
Returns: the after-sale, if there is one; detail as of review_after_sale, with refund_id and refund_amount where something is refunded, and reason where held
Dispositions: applied pieces in order are refunded, damaged ones wait for resolve_damaged, and staff is alerted; others may still come, until the return window ends; replayed this receipt is on record: under its request_id, or, without one, with equal lines; held waits for staff: more pieces than announced, unknown after-sale, or not expected now
Raises: 22004; 22023; 22003; 54000; OE110
Publishes: refund.execute; after_sale.refunded if there is nothing to pay; after_sale.auto_close for what is still to come after order_ext.return_window; ops.alert';

COMMENT ON FUNCTION order_ext.resolve_damaged(bigint, boolean, text) IS
'Decides about the damaged pieces that have come back.
They are paid for, or leave the after-sale, and can be applied for again. Nothing comes back to stock. Others may still come.
after_sale_id: an after-sale whose return_status is damaged
refund: true: pay for them
request_id: idempotency key, up to 128 characters
Returns: the after-sale; detail as of return_receipt, and refund
Dispositions: applied; replayed
Raises: 22004; 22023; 54000; OE601; OE001; OE503 no damaged pieces wait; OE110
Publishes: refund.execute; after_sale.refunded if there is nothing to pay';

COMMENT ON TYPE order_ext.refund_request IS 'What a gateway function sees of a refund.';
COMMENT ON COLUMN order_ext.refund_request.refund_id IS 'Idempotency key for the gateway: same on every attempt.';
COMMENT ON COLUMN order_ext.refund_request.payment_id IS 'The captured payment.';
COMMENT ON COLUMN order_ext.refund_request.order_id IS 'The order that the payment named.';
COMMENT ON COLUMN order_ext.refund_request.out_trade_no IS 'The gateway''s number of the payment.';
COMMENT ON COLUMN order_ext.refund_request.pay_type IS 'Name of the gateway or method.';
COMMENT ON COLUMN order_ext.refund_request.amount IS 'To refund, in minor units.';
COMMENT ON COLUMN order_ext.refund_request.currency IS 'Currency of the payment.';
COMMENT ON COLUMN order_ext.refund_request.attempt IS 'Number of the attempt, from 1.';
COMMENT ON COLUMN order_ext.refund_request.payment_amount IS 'What was captured in all, in minor units.';

COMMENT ON FUNCTION order_ext.claim_refunds(integer, text, interval, text[]) IS
'Claims refunds for a worker outside of the database, oldest first.
Commit, then call the gateway under refund_id, then report with refund_callback. Pay types with a gateway function are left out, and so are refunds that are held back, that have to wait, whose payment is in dispute, or that are locked by another transaction. A refund whose lease has expired is claimed again.
max_refunds: the most to claim; a tenth of the lock table is the limit in any case
worker: name for people, up to 128 characters
lease: time until the refund can be claimed again, up to 366 days
pay_types: only refunds of these; NULL: of all
Returns: one row per refund
refund_id: idempotency key for the gateway: same on every attempt
order_id: the order that the payment named
payment_id: the captured payment
out_trade_no: the gateway''s number of the payment
pay_type: name of the gateway or method
amount: to refund, in minor units
currency: currency of the payment
attempt: number of the attempt, from 1
lease_until: end of the lease
payment_amount: what was captured in all, in minor units
payment_currency: currency of payment_amount
reason: why, as given for the refund, its after-sale or the cancellation; may be NULL
Raises: 22004; 22023; 22003; 54000; OE110';

COMMENT ON FUNCTION order_ext.refund_callback(bigint, text, text, bigint, jsonb) IS
'Records what a gateway reports about a refund.
The report is recorded whatever the state of the refund.
refund_id: the refund
outcome: succeeded, failed or pending
gateway_refund_no: the gateway''s number, up to 128 characters
amount: refunded, in minor units; compared with the refund''s; NULL: not compared
raw: the gateway''s message, kept as evidence; truncated beyond order_ext.max_payload
Returns: the refund, if there is one; detail has refund_id, order_id, payment_id, after_sale_id, amount, currency, and reason where held
Dispositions: applied; replayed; noop nothing to change; held waits for staff: another amount or number, a success that is reversed, or an unknown refund
Raises: 22004; 22023; 54000; OE110
Publishes: refund.succeeded; refund.failed; after_sale.refunded; ops.alert';

COMMENT ON FUNCTION order_ext.retry_refund(bigint) IS
'Requests a failed refund again under its ID, or releases one that is held back.
refund_id: the refund
Returns: the refund
Dispositions: applied; noop neither failed nor held back
Raises: 22004; 22023; OE001; OE110
Publishes: refund.execute';

COMMENT ON FUNCTION order_ext.payment_closed(bigint, text, text, text, jsonb) IS
'Records that a payment attempt was closed or has failed.
The attempt is found by its trade number, otherwise as the only open one of the pay type.
order_id: the order
out_trade_no: up to 128 characters
pay_type: name of the gateway or method, up to 32 characters
outcome: closed or failed
raw: the gateway''s message, kept as evidence; truncated beyond order_ext.max_payload
Returns: the order, if there is one; detail has outcome, payment_id and payment_status
Dispositions: applied; replayed; noop it was captured; held waits for staff: no such attempt, or it ended in another way
Raises: 22004; 22023; 54000; OE110
Publishes: ops.alert';

COMMENT ON FUNCTION order_ext.resolve_held_payment(bigint, text, boolean) IS
'Decides about captured money that is held, that matches no order, or that may have been reported twice.
With accept it pays its order, and what exceeds the amount is refunded. With refund all that is left of it goes back, after the gateway had paid less than it was asked for (settle_refund), too; a refund that withdraw_refund had taken back is requested again, and a duplicate is one no more. Of a capture that paid its order, refund requests withdrawn refunds only; the rest goes back by refund_order. A duplicate tells of money that another capture of the order, of the same amount and currency, already tells of; it counts nowhere as captured, and a refund of it that nobody has claimed is withdrawn.
payment_id: the payment
decision: accept, refund or duplicate
accept_less: accept a capture that is lower than the order costs: the rest becomes a discount, spread over the lines as a coupon''s is; what exceeds the goods comes off the freight
Returns: the order, if there is one; detail has payment_id, purpose, amount, currency, and refund_id where one was requested
Dispositions: applied; noop nothing to decide
Raises: 22004; 22023; OE001; OE101 the order is not unpaid, or the record paid its order, or a refund of it was claimed; OE301 another currency, or too little, or no other capture tells of the same money; OE110
Publishes: order.paid; refund.execute';

COMMENT ON FUNCTION order_ext.resolve_fact(bigint, text) IS
'Says what was done about a held fact, which stays on record; verify() stops warning of it.
fact_id: as in held_facts
note: what was done, up to 1000 characters
Returns: the fact
Dispositions: applied; noop that was said before
Raises: 22004; 22023; 54000; OE001; OE110';

COMMENT ON FUNCTION order_ext.assign_payment(bigint, bigint, text) IS
'Assigns a held or unmatched capture to the order it is for.
It is decided as pay_callback for that order would be now, in its own currency or, if none was told, the order''s. A repetition of the original callback is replayed then.
payment_id: a capture with purpose held or unmatched, without a refund
order_id: the order
request_id: idempotency key, up to 128 characters
Returns: the order; detail as of pay_callback
Dispositions: applied; amount_mismatch_held; late_refund_queued; surplus_refund_queued; replayed
Raises: 22004; 22023; 54000; OE601; OE001 no such payment or order; OE101 neither held nor unmatched, or it has a refund; OE110
Publishes: order.paid; refund.execute; ops.alert';

COMMENT ON FUNCTION order_ext.refund_order(bigint, bigint, jsonb, boolean, text, text) IS
'Refunds by a decision of staff: goodwill, a lost parcel, virtual goods, after the window.
From any status of the order, as long as something is left of what was paid. The money goes out from the capture that paid the order. Lines count as gone back; nothing comes back to stock. An after-sale of type goodwill shows it. What goes back later is never more than what is left then: the excess is cut from the freight first, then from the last line up.
order_id: the order
amount: to refund, in minor units; not together with lines or freight
lines: what to refund for, as of calculate_refund; worth what is left of their share, without the freight
freight: refund what is left of the freight, too
reason: up to 1000 characters
request_id: idempotency key, up to 128 characters
Returns: the refund; detail has refund_id, after_sale_id, order_id, payment_id, type, amount, freight, currency, left and lines. Without amount, lines and freight all that is left is refunded
Dispositions: applied; replayed
Raises: 22004; 22023; 22003; 54000; OE601; OE001; OE101 the order was not paid; OE501 more than is left; OE110
Publishes: after_sale.applied; refund.execute';

COMMENT ON FUNCTION order_ext.withdraw_refund(bigint, text, text) IS
'Withdraws a refund that nobody has ever claimed; the shop keeps the money.
Its after-sale is closed, unless it has other refunds or waits for goods. resolve_held_payment(payment_id, ''refund'') requests it again.
refund_id: a refund in status requested, attempt 0
reason: up to 1000 characters
request_id: idempotency key, up to 128 characters
Returns: the refund
Dispositions: applied; replayed; noop already withdrawn
Raises: 22004; 22023; 54000; OE601; OE001; OE101 it was claimed, or is over; OE110';

COMMENT ON FUNCTION order_ext.settle_refund(bigint, bigint, text) IS
'Records that the gateway has paid another amount than it was asked for, such as less a fee.
The refund has succeeded with that amount; the rest is left, to be refunded again or not: by refund_order, or, of a capture that did not pay its order, by resolve_held_payment(payment_id, ''refund'').
refund_id: a refund that has not succeeded yet
amount: what was paid, in minor units
reason: up to 1000 characters
Returns: the refund
Dispositions: applied; noop it has succeeded with this amount
Raises: 22004; 22023; 54000; OE001; OE101 it has succeeded with another amount; OE501 more than is left; OE110
Publishes: refund.succeeded; after_sale.refunded';

COMMENT ON FUNCTION order_ext.record_refund(bigint, text, text, text, bigint, timestamptz, jsonb) IS
'Records a refund that was made outside, in the gateway''s dashboard.
It counts against what is left of the payment. Refunds of the payment that nobody has claimed are reduced or withdrawn by as much, so that nothing is paid twice, and their after-sales count as paid. A number that refund_callback has told is one of ours.
order_id: the order that the payment named
out_trade_no: the gateway''s number of the payment, up to 128 characters
pay_type: name of the gateway or method, up to 32 characters
gateway_refund_no: the gateway''s number of the refund, up to 128 characters; unique per pay type
amount: refunded, in minor units
refunded_at: the gateway''s own time of the refund; NULL: now
raw: the gateway''s message, kept as evidence; truncated beyond order_ext.max_payload
Returns: the refund; detail has refund_id, order_id, payment_id, amount, currency and gateway_refund_no, or reason where held
Dispositions: applied; replayed; held waits for staff: unknown payment, more than is left, a number that was used for another refund, or a claimed refund under way for the same money (tell it again when that is over)
Raises: 22004; 22023; 54000; OE110
Publishes: refund.succeeded; after_sale.refunded; ops.alert';

COMMENT ON FUNCTION order_ext.payment_disputed(bigint, text, text, text, text, bigint, jsonb) IS
'Records that a bank wants a payment back (a chargeback), and how that ended.
While a dispute is open, no refund of its payment is claimed. A lost one counts as gone back; refunds that nobody has claimed and that no longer fit are withdrawn. The first of won and lost ends it.
order_id: the order that the payment named
out_trade_no: the gateway''s number of the payment, up to 128 characters
pay_type: name of the gateway or method, up to 32 characters
dispute_no: the gateway''s number of the dispute, up to 128 characters
outcome: opened, won or lost
amount: in dispute, or lost, in minor units; NULL: as opened, otherwise all of the payment
raw: the gateway''s message, kept as evidence; truncated beyond order_ext.max_payload
Returns: the order, if there is one; detail has payment_id, dispute_no, outcome, amount, and refund_id of a lost one, or reason where held
Dispositions: applied; replayed; noop opened after its end; held waits for staff: unknown payment, another payment than before, the contrary outcome, or more than is left
Raises: 22004; 22023; 54000; OE110
Publishes: ops.alert; refund.execute';

COMMENT ON FUNCTION order_ext.set_pay_type(text, jsonb) IS
'Sets what becomes of money that a pay type captures too often.
Options are surplus: refund (default), or hold: surplus refunds, and late ones of orders that have another capture, wait for retry_refund (a gateway may tell one capture under two IDs); surplus_delay: interval before a surplus or late refund may be claimed, up to 366 days (default 0). Keys that are left out keep their value.
pay_type: name of the gateway or method, up to 32 characters
options: an object
Raises: 22004; 22023; 22003; 54000; OE110';

COMMENT ON FUNCTION order_ext.set_gateway(text, regprocedure, regrole) IS
'Sets the function that executes refunds of a pay type; NULL removes it.
The function is f(order_ext.refund_request) returns text: an outcome as of refund_callback. Anything else, NULL or an error leaves the outcome unknown, and the gateway is asked again.
It runs in worker processes, for the consumer group refund.execute:PAY_TYPE, with search_path "$user", public unless it sets its own.
pay_type: name of the gateway or method, up to 32 characters
handler: the function
run_as: a role with LOGIN that the caller is a member of, and no superuser; NULL: the caller
Raises: 22004; 22023 wrong signature; 42883 there is no such function; 42501 the role may not use this function, or is a superuser; 42710 another group has that name; OE110';

COMMENT ON FUNCTION order_ext.sandbox_set(text, integer) IS
'Tells the built-in gateway sandbox how to answer its next calls.
outcome: succeeded, failed, pending, or vanish (the money moves, the answer is lost)
times: for how many calls
Raises: 22004; 22023; OE110';

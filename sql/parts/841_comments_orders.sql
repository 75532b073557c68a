-- What the calls about the catalog, orders, fulfillment and reads do, for \df+ and for
-- docs/reference.md, which script/reference makes from these comments.
--
-- The first line is a sentence.  Then come lines "name: ..." for the arguments, in their order,
-- "Returns: ...", again "name: ..." for the columns of a result, "Dispositions: ..." of
-- order_ext.result, "Raises: ..." and "Publishes: ...", the items of the last three separated
-- by semicolons.  Lines between the first one and the arguments explain further.
-- test/pgtap/comments.sql checks this form.

COMMENT ON FUNCTION order_ext.put_product(text, text, bigint, text, text) IS
'Adds a product, or changes one, with its price in a currency.
Orders that exist keep the price that they were made with. Prices in other currencies stay; put_price adds them.
sku: the product''s own key, up to 128 characters
name: up to 1000 characters
price: of one piece, in minor units of the currency
kind: normal, or virtual (nothing is shipped)
currency: an ISO 4217 code; NULL: order_ext.currency as it is now
Raises: 22004; 22023; 54000; OE110';

COMMENT ON FUNCTION order_ext.put_products(jsonb) IS
'Adds or changes many products at once, each with its price in a currency: all of them, or none.
Errors name the element by its place, from 0: products[2].
products: an array of up to 10000 objects with the arguments of put_product: sku, name, price, and optionally kind and currency. A sku may come several times with the same name and kind, for prices in several currencies
Returns: the number of elements
Raises: 22004; 22023 an element is malformed, has an unknown key, or contradicts or repeats another one; 22003; 54000; OE110';

COMMENT ON FUNCTION order_ext.retire_product(text, boolean) IS
'Takes a product off sale, or puts it on sale again.
Orders that exist go on, and so do those that are being created while this call commits; any later quote_order or create_order is OE001. put_product and put_products do not change whether a product is retired; products_view shows it.
sku: the product
retired: false: it is for sale again
Raises: 22004; 22023; 54000; OE001 unknown sku; OE110';

COMMENT ON FUNCTION order_ext.list_products(text, integer, text) IS
'Lists the products that are for sale, by sku, a page at a time.
A page looks at 10000 products at most. If it ends there, its last row is only {"next_after": sku}: the next page goes on after that; otherwise after the last sku of the page.
after: only skus after this one; NULL: from the first
max_products: the most to return; more than 1000 counts as 1000
search: only products with this in their sku or name, in upper or lower case, up to 1000 characters; NULL: all
Returns: objects: sku; name; kind normal or virtual; prices an object of currency and price of one piece in minor units; available pieces
Raises: 22004; 22023; 54000';

COMMENT ON FUNCTION order_ext.list_coupons(bigint, boolean, bigint, integer) IS
'Lists the coupons of a user, newest first, a page at a time.
A page looks at 10000 coupons at most. If it ends there, its last row is only {"next_before": coupon_id}: the next page goes on before that; otherwise before the last coupon_id of the page.
user_id: whose
usable: true: only those that can be used now; false: only others; NULL: all
before: only coupons with a lower ID; NULL: from the newest
max_coupons: the most to return; more than 1000 counts as 1000
Returns: objects: coupon_id; user_id; status unused, locked, used or expired; usable whether it is unused and now is between valid_from and valid_until; amount and threshold in minor units; currency null for any; valid_from; valid_until; order_id the order that holds it. IDs are strings
Raises: 22004; 22023';

COMMENT ON FUNCTION order_ext.put_price(text, text, bigint) IS
'Adds the price of a product in a currency, or changes it.
An order in a currency in which a product of it has no price is OE005.
sku: the product
currency: an ISO 4217 code
price: of one piece, in minor units of the currency
Raises: 22004; 22023; 54000; OE001 unknown sku; OE110';

COMMENT ON FUNCTION order_ext.put_freight(text, bigint, bigint, text) IS
'Adds the freight fee of a region in a currency, or changes it.
An order takes the template of its region and currency, else the one of region *, which is also that of orders without a region; without that, freight is 0 where options.region is not given, or has templates in other currencies only, or where there are no templates at all, and OE006 where no template has that region.
region: as in options.region of an order, up to 128 characters, stored trimmed and in lower case; * for every region without a template of its own
fee: in minor units of the currency
free_from: goods total before discount, in minor units, from which freight is free; NULL: never
currency: an ISO 4217 code; NULL: order_ext.currency as it is now
Raises: 22004; 22023; 54000; OE110';

COMMENT ON FUNCTION order_ext.remove_freight(text, text) IS
'Removes the freight fee of a region in a currency.
region: as of put_freight, in any spelling
currency: an ISO 4217 code; NULL: order_ext.currency as it is now
Returns: whether there was one
Raises: 22004; 22023; 54000; OE110';

COMMENT ON FUNCTION order_ext.adjust_stock(text, bigint, text, text, text) IS
'Adds to the available stock of a product, or takes from it; or writes off units that orders have reserved.
sku: the product
delta: pieces; negative to take away
reason: kept in the ledger, up to 1000 characters
request_id: idempotency key, up to 128 characters
bucket: available; or reserved: -delta units are written off, and the newest unpaid orders that hold them are canceled
Returns: the stock level afterwards; a repetition of the request_id gets the first answer
available: pieces that can be sold
reserved: pieces that unshipped orders hold
consumed: pieces that have left
Raises: 22004; 22023; 22003; 54000; OE601; OE001 unknown sku; OE201 the available stock would become negative, or unpaid orders hold fewer reserved units; OE110';

COMMENT ON FUNCTION order_ext.set_stock(text, bigint, text, text) IS
'Sets the available stock of a product, by a row of the ledger for the difference.
What open transactions have taken counts as taken.
sku: the product
available: pieces that can be sold from now on
reason: kept in the ledger, up to 1000 characters
request_id: idempotency key, up to 128 characters
Returns: the stock level afterwards; a repetition of the request_id gets the first answer
Raises: 22004; 22023; 22003; 54000; OE601; OE001 unknown sku; OE110';

COMMENT ON TYPE order_ext.stock_units IS 'A level of stock.';
COMMENT ON COLUMN order_ext.stock_units.available IS 'Pieces that can be sold.';
COMMENT ON COLUMN order_ext.stock_units.reserved IS 'Pieces that unshipped orders hold.';
COMMENT ON COLUMN order_ext.stock_units.consumed IS 'Pieces that have left.';

COMMENT ON FUNCTION order_ext.stock_level(text) IS
'Shows the stock of a product.
sku: the product
Returns: its stock level
available: pieces that can be sold
reserved: pieces that unshipped orders hold
consumed: pieces that have left
Raises: 22004; 22023; 54000; OE001 unknown sku';

COMMENT ON FUNCTION order_ext.issue_coupon(bigint, bigint, bigint, timestamptz, timestamptz, text) IS
'Issues a coupon to a user.
It takes amount off an order, but no more than the order''s goods total.
user_id: the only user who can use it
amount: in minor units
threshold: the least goods total of an order that it can be used for, in minor units
valid_from: beginning of its validity
valid_until: end of its validity
currency: of the orders that it can be used for, an ISO 4217 code; NULL: order_ext.currency as it is now
Returns: the ID of the coupon
Raises: 22004; 22023';

COMMENT ON FUNCTION order_ext.quote_order(bigint, jsonb, bigint, jsonb) IS
'Prices an order without creating it.
user_id: the buyer
items: [{"sku": "A-1", "quantity": 2, "attributes": {...}}, ...], up to 1000 lines; attributes are optional and kept with the line; the quantities of a repeated sku with the same attributes are summed, with others it is a line of its own
coupon_id: a coupon of the buyer
options: as of create_order; region and currency matter here
Returns: {origin, discount, freight, pay_amount, currency, items: [{line, sku, quantity, price, discount, pay, attributes}]}, amounts in minor units; lines are numbered from 1 in the order given
Raises: 22004; 22023; 22003; 54000; OE001 unknown sku; OE005 no price in the currency; OE007 the price hook refuses or fails; OE202 coupon cannot be used for this order; OE006 no freight for the region; OE203 coupon used by another order';

COMMENT ON FUNCTION order_ext.create_order(bigint, jsonb, bigint, bigint, interval, text, jsonb) IS
'Creates an order: reserves stock, locks the coupon, and sets the payment deadline.
An order with nothing to pay is paid at once. Errors are checked in the order listed.
user_id: the buyer
items: [{"sku": "A-1", "quantity": 2, "attributes": {...}}, ...], up to 1000 lines; attributes are optional and kept with the line; the quantities of a repeated sku with the same attributes are summed, with others it is a line of its own
pay_amount: what the client shows to the buyer, in minor units; must equal the server''s price
coupon_id: a coupon of the buyer
pay_timeout: time to pay; NULL: order_ext.pay_timeout
request_id: idempotency key, up to 128 characters
options: {region, currency, channel, external_id, address, remark, ...}; region and channel are stored in lower case, currency is an ISO 4217 code; external_id is your own order number and unique; other keys are kept, except misspelled ones of these
Returns: the order; detail has order_id, pay_amount, origin, discount, freight, currency and expire_at
Dispositions: applied; replayed
Raises: 22004; 22023; 22003; 54000; OE601; 23505 external_id exists; OE004 refused by the risk check; OE001 unknown sku; OE005 no price in the currency; OE007 the price hook refuses or fails; OE202 coupon cannot be used for this order; OE006 no freight for the region; OE002 pay_amount differs from the price; OE201 not enough stock; OE203 coupon used by another order; OE110
Publishes: order.created; order.pay_timeout at the deadline; order.paid if there is nothing to pay';

COMMENT ON FUNCTION order_ext.pre_pay_order(bigint, text, bigint, text) IS
'Begins a payment attempt.
order_id: an unpaid order
pay_type: name of the gateway or method, up to 32 characters
pay_amount: must equal the order''s, in minor units
request_id: idempotency key, up to 128 characters
Returns: the order; detail has payment_id, pay_type, and out_trade_no, which the gateway may echo or replace
Dispositions: applied; replayed
Raises: 22004; 22023; 54000; OE601; OE001; OE101 the order is not unpaid; OE301 the amount differs; OE302 the deadline has passed; OE110';

COMMENT ON FUNCTION order_ext.pay_callback(bigint, text, text, bigint, text, timestamptz, jsonb) IS
'Records a capture that a gateway reports, and decides what it means for the order.
The capture is recorded whatever the state of the order.
order_id: as the gateway reports it
out_trade_no: the gateway''s trade number, up to 128 characters; unique per pay_type
pay_type: name of the gateway or method, up to 32 characters
pay_amount: captured, in minor units
currency: NULL: the order''s
paid_at: the gateway''s time
raw: the gateway''s message, kept as evidence; truncated beyond order_ext.max_payload
Returns: the order, if there is one; detail has payment_id, purpose, amount, currency, and refund_id where one was created
Dispositions: applied the order is paid; replayed this capture is on record; late_refund_queued the order is canceled, refused or invalid, a refund was created; surplus_refund_queued the order was paid already, a refund was created; amount_mismatch_held amount or currency differs, waits for staff; unknown_order_held no such order, or the trade number belongs to another one, waits for staff; dropped_order_held new money of an order that was exported and dropped, waits for staff
Raises: 22004; 22023; 54000; OE110
Publishes: order.paid; refund.execute; ops.alert';

COMMENT ON FUNCTION order_ext.cancel_order(bigint, bigint, text, text, text, text) IS
'Cancels an order that has not left the warehouse; stock, coupon and money go back.
order_id: the order
user_id: checked as the owner; NULL: not checked
cancel_type: user or customer_service
reason: up to 1000 characters
request_id: idempotency key, up to 128 characters
refund_policy: full, or hold (refunds wait for retry_refund)
Returns: the order; detail has refund_amount and refund_policy
Dispositions: applied; replayed; noop already canceled; intercept_pending an external warehouse has been asked and must answer first
Raises: 22004; 22023; 54000; OE601; OE001; OE003 user_id is not the owner; OE103 the order has left the warehouse or is over; OE401 the warehouse has refused; OE110
Publishes: order.canceled; order.release_assets; payment.close for each open payment attempt; fulfilment.cancel_requested for an external warehouse';

COMMENT ON FUNCTION order_ext.expire_orders(integer) IS
'Cancels unpaid orders whose deadline has passed, without timers or workers.
Orders that another transaction has locked are skipped.
max_orders: the most to cancel; a tenth of the lock table is the limit in any case
Returns: the number of orders canceled
Raises: 22004; 22023; OE110
Publishes: order.canceled; order.release_assets; payment.close';

COMMENT ON FUNCTION order_ext.allowed_actions(bigint) IS
'Lists the calls that are possible in the order''s present status.
order_id: the order
Returns: names of calls
Raises: 22004; 22023; OE001';

COMMENT ON FUNCTION order_ext.import_orders(jsonb) IS
'Takes over open orders of another system, as they are there.
That is, with statuses, payments, reservations, deadlines, coupons and parcels. All orders of a call are stored, or none. An order that was imported before is left as it is. Pieces of orders that have left are added to the stock first; those of others must be there. Errors name the order by its position and external_id. An unpaid order whose deadline is over is canceled the usual way; a paid one gets its order.paid.
orders: an array of objects; docs/migration.md has their keys
Returns: a row per order
external_id: its number in the other system
order_id: its number here
disposition: applied, replayed
Raises: 22004; 22023; 22003; 23505 the external_id or a trade number is another order''s; 54000; OE001 unknown sku; OE002 pay_amount differs from what lines and freight cost; OE201 too little stock; OE202 the coupon cannot be used; OE203 the coupon is taken; OE301 a payment of another amount; OE601 imported before with another content; OE110
Publishes: order.paid for paid orders; order.pay_timeout at the deadline of unpaid ones; order.auto_sign after order_ext.auto_sign for those that are delivering';

COMMENT ON FUNCTION order_ext.set_risk_check(regprocedure, regrole) IS
'Sets the function that can refuse an order; NULL removes it.
The function is f(request jsonb) returns text: NULL to pass, or the reason to refuse. The request is {user_id, items, pay_amount, coupon_id, options}.
It runs in a security-restricted operation, with search_path "$user", public unless it sets its own; it is canceled after order_ext.handler_timeout (57014), and cannot use advisory locks or prepared statements of the session, which is somebody else''s.
handler: the function
run_as: a role that the caller is a member of, and no superuser; NULL: the caller
Raises: 22023 wrong signature; 42883 there is no such function; 42501 the role may not use this function, or is a superuser; OE110';

COMMENT ON FUNCTION order_ext.set_price(regprocedure, regrole) IS
'Sets the function that decides about prices and discounts, in quote_order and create_order; NULL removes it.
The function is f(request jsonb) returns jsonb. The request is {user_id, currency, coupon_id, options, lines: [{line, sku, kind, quantity, price, attributes}]} with the prices of the catalog. The answer is {"lines": [{"line": 1, "price": 900, "discount": 100}, ...]}: every line once, the price of one piece, and the discount on the whole line (0 if left out), in minor units. Coupon and freight come after it: the coupon''s threshold is compared with what its discounts leave, free_from of freight with the goods before any discount.
Where it raises, answers anything else, negative numbers, fractions, or a discount above price times quantity, or takes longer than order_ext.handler_timeout, the call raises OE007 with the reason, and nothing is stored. 40001, 40P01, 57014 (a cancel by the caller) and 25006 pass through.
It runs as the risk check does: in a security-restricted operation, with search_path "$user", public unless it sets its own, without advisory locks or prepared statements of the session; it cannot call quote_order or create_order itself.
handler: the function
run_as: a role that the caller is a member of, and no superuser; NULL: the caller
Raises: 22023 wrong signature; 42883 there is no such function; 42501 the role may not use this function, or is a superuser; OE110';

COMMENT ON FUNCTION order_ext.extend_deadline(bigint, timestamptz, text) IS
'Gives the buyer of an unpaid order more time to pay.
The timer moves with the deadline, in the same transaction. An order past its deadline can be extended as long as it has not been canceled.
order_id: an unpaid order
until: the new deadline: later than now and than the deadline, at most 100 years ahead
request_id: idempotency key, up to 128 characters
Returns: the order; detail has expire_at
Dispositions: applied; replayed; noop it is the deadline already
Raises: 22004; 22023 earlier than now or than the deadline; 22003; 54000; OE601; OE001; OE101 the order is not unpaid; OE110
Publishes: order.pay_timeout at the deadline';

COMMENT ON FUNCTION order_ext.currency_exponent(text) IS
'Tells how many decimals the minor units of a currency are.
currency: an ISO 4217 code, in any case
Returns: 2 for CNY, 0 for JPY, 3 for KWD: amounts are in units of 10 to the power of minus that
Raises: 22004; 22023';

COMMENT ON FUNCTION order_ext.status_code(text, text) IS
'Translates the name of a status into its number.
machine: order, payment, after_sale, return, refund, coupon or fulfilment
name: as views show it
Returns: the number
Raises: 22004; 22023';

COMMENT ON FUNCTION order_ext.state_graph(text) IS
'Lists the transitions of a state machine that this version executes.
machine: order, payment, after_sale, return, refund, coupon or fulfilment
Returns: one row per transition
from_status: NULL for creation
to_status: status after the transition
event: its name
actor: who can cause it: buyer, staff, gateway, warehouse, system
guard: the condition, in words
messages: topics that it publishes to
Raises: 22004; 22023';

COMMENT ON FUNCTION order_ext.state_diagram(text) IS
'Draws the transitions of a state machine as a Mermaid diagram.
machine: order, payment, after_sale, return, refund, coupon or fulfilment
Returns: Mermaid text
Raises: 22004; 22023';

-- ---- fulfillment ----

COMMENT ON FUNCTION order_ext.shipment_event(bigint, text, text, timestamptz, jsonb) IS
'Records what a warehouse or carrier reports about an order, and moves the order.
Events can come in any order and repeatedly; picked can be omitted. out_stock wins over a cancel request that the warehouse has not answered.
order_id: the order
event_id: the sender''s ID of the event, up to 128 characters without surrounding blanks; unique per order
kind: picked, out_stock, delivering, signed; or what ends the way of a parcel that was not delivered: refused, returned (it is back), lost. The order becomes refused, with an after-sale of all that is left of it: a lost parcel is refunded at once, the others after return_receipt
occurred_at: the sender''s time; NULL: now
payload: the sender''s message, kept as evidence; truncated beyond order_ext.max_payload
Returns: the order, if there is one; detail has event_id, kind, and reason where held
Dispositions: applied the order has moved (picked: its fulfillment), and parked events may have followed; parked came early, applied when its turn comes; replayed on record already with this event_id and kind, whatever else it says, or the order is past it; held waits for staff: unknown order, shipped after its cancel, both signed and not delivered, both lost and not lost, or an event_id reused for another kind
Raises: 22004; 22023; 54000; OE110
Publishes: order.shipped_out; order.delivering; order.auto_sign after order_ext.auto_sign; order.signed; order.refused; after_sale.applied if it was not delivered, refund.execute if it was lost; ops.alert';

COMMENT ON FUNCTION order_ext.fulfilment_cancel_result(bigint, boolean, text, jsonb) IS
'Records an external warehouse''s answer to fulfilment.cancel_requested.
order_id: the order
accepted: whether the parcel was stopped
event_id: the sender''s ID of the answer, up to 128 characters without surrounding blanks; unique per order
raw: the sender''s message, kept as evidence; truncated beyond order_ext.max_payload
Returns: the order, if there is one; detail has event_id, kind, and reason where held
Dispositions: applied accepted: the order is canceled, rejected: it goes on and can no longer be canceled; replayed on record already; noop rejected after it was shipped or unasked, or accepted after the cancel; held waits for staff: accepted after it was shipped or unasked, rejected after the cancel, unknown order, or an event_id reused
Raises: 22004; 22023; 54000; OE110
Publishes: order.canceled; order.release_assets; payment.close; ops.alert';

COMMENT ON FUNCTION order_ext.confirm_receipt(bigint, bigint, text) IS
'Records that the buyer has received the parcel.
order_id: the order
user_id: its owner
request_id: idempotency key, up to 128 characters
Returns: the order
Dispositions: applied; replayed; noop already signed
Raises: 22004; 22023; 54000; OE601; OE001; OE003 user_id is not the owner; OE101 not in status delivering; OE110
Publishes: order.signed';

COMMENT ON FUNCTION order_ext.change_address(bigint, bigint, jsonb, text) IS
'Changes the address of an order, once, before it leaves the warehouse.
order_id: the order
user_id: its owner
address: an object, replaces options.address
request_id: idempotency key, up to 128 characters
Returns: the order
Dispositions: applied; replayed; noop that is its address already
Raises: 22004; 22023; 54000; OE601; OE001; OE003 user_id is not the owner; OE101 it has left the warehouse, is over, or was changed before; OE110
Publishes: order.address_changed';

COMMENT ON FUNCTION order_ext.remove_order(bigint, bigint) IS
'Hides a finished order from its buyer.
The order itself remains, marked with removed_at.
order_id: an order that is signed, canceled, refused or invalid
user_id: its owner
Returns: the order
Dispositions: applied; noop removed before
Raises: 22004; 22023; OE001; OE003 user_id is not the owner; OE101 the order is not finished; OE110';

COMMENT ON FUNCTION order_ext.report_shortage(bigint, jsonb, text) IS
'Records that the warehouse lacks pieces of an order, and refunds them.
An after-sale is opened and approved at once; the pieces are written off.
order_id: an order in status out_stock
lines: the missing pieces, as of calculate_refund
request_id: idempotency key, up to 128 characters
Returns: the order; detail has after_sale_id, order_id, type, amount, freight and lines
Dispositions: applied; replayed
Raises: 22004; 22023; 22003; 54000; OE601; OE001; OE101 not in status out_stock; OE501 more pieces than are left; OE110
Publishes: after_sale.applied; refund.execute';

COMMENT ON FUNCTION order_ext.set_channel(text, boolean) IS
'Sets whether orders of a channel are shipped by an external warehouse.
Such a warehouse must be asked before a cancel. Applies to orders that are paid from now on.
channel: as in options.channel of an order, up to 128 characters
external: true: shipped by an external warehouse
Raises: 22004; 22023; 54000; OE110';

-- ---- reads ----

COMMENT ON FUNCTION order_ext.get_order(bigint) IS
'Shows an order with its items, payments, refunds, after-sales, coupon and shipment.
It includes the address, so observers cannot call it.
order_id: the order
Returns: an object; IDs are strings, amounts are numbers in minor units, statuses are names
Raises: 22004; 22023; OE001';

COMMENT ON FUNCTION order_ext.list_orders(bigint, text[], bigint, integer) IS
'Lists the orders of a user, newest first, a page at a time, without those that the user has removed.
A page looks at 10000 orders at most, which matters where few of them are wanted. If it ends there, its last row is only {"next_before": order_id}: the next page goes on before that; otherwise before the last order_id of the page.
user_id: the buyer
statuses: only orders in one of these; NULL: in any
before: only orders with a lower ID; NULL: from the newest
max_orders: the most to return; more than 1000 counts as 1000
Returns: objects: order_id; user_id; status; version; origin, discount, freight and pay_amount in minor units of currency; coupon_id; external_id; created_at; expire_at the payment deadline; paid_at; canceled_at; cancel_type; removed_at; items with line, sku, name (the product''s of today), quantity, price, discount, pay and reservation; after_sales, the open ones, with after_sale_id, type, status, amount, return_status, applied_at, return_by and items (line, sku, quantity); allowed_actions, as the call of that name lists them. IDs are strings. Address, remark and attributes are not included
Raises: 22004; 22023; 54000';

COMMENT ON FUNCTION order_ext.search_orders(jsonb, bigint, integer) IS
'Finds orders that meet all conditions of a filter, newest first, a page at a time.
Those that their buyers have removed are among them.
A page looks at 10000 orders at most, by the index of the condition that finds the fewest: id, text, external_id or out_trade_no, else gateway_refund_no, user_id, sku, or all orders of the time. If it ends there, its last row is only {"next_before": order_id}: the next page goes on before that; otherwise before the last order_id of the page.
filter: an object with any of these keys: status, one or an array of them; user_id; external_id; created_from and created_to, or created_between with an array of both, inclusive; sku of a line; out_trade_no of a payment; gateway_refund_no of a refund; id of the order or of a payment, refund, after-sale or document of its fulfillment; text, which is any such id or number. Ids can be strings or numbers; null is no condition
before: only orders with a lower ID; NULL: from the newest
max_orders: the most to return; more than 1000 counts as 1000
Returns: objects as of list_orders
Raises: 22004; 22023 unknown key, or a value that is none for its key; 22003; 54000';

COMMENT ON FUNCTION order_ext.find_order(text) IS
'Finds an order by the application''s own number.
external_id: as in options.external_id of create_order
Returns: the ID of the order
Raises: 22004; 22023; 54000; OE001';

COMMENT ON FUNCTION order_ext.order_timeline(bigint) IS
'Shows what happened to an order, oldest first.
Rows of the order itself have statuses and form a chain. Rows of its payments, after-sales, refunds, coupon and fulfillment have none; those that only repeat a row of the order are left out. So are the reasons that people gave, for who may not call get_order().
order_id: the order
Returns: one row per event
at: when
from_status: of the order; NULL for its creation
to_status: of the order
event: such as pay, or payment.capture for what is not about the order itself
actor: buyer, staff, gateway, warehouse or system
detail: what changed
operator: who did it: order_ext.operator of the session that made the call, else its role
role: the role that made the call
Raises: 22004; 22023; OE001';

COMMENT ON FUNCTION order_ext.message_trace(bigint) IS
'Shows what happened to the messages of a key, oldest first.
One row per message, consumer group and attempt; one per message without a group; one per timer that has not fired. It reaches back as far as the log; retries and dead letters are shown beyond it.
key: for built-in topics the order ID
Returns: one row per attempt
message_id: same through timer, retries and redrive
topic: topic of the message
consumer_group: NULL if no group reads the topic
state: timer, void (its order has moved on, or it was canceled), waiting, leased, retry, parked (waits for an earlier message of its key), done, dead or discarded
attempt: from 1
published_at: when it was published
finished_at: when this attempt ended
error: message of a failed attempt; for roles that may not read attempt_log.error (observers), its SQLSTATE
Raises: 22004';

COMMENT ON FUNCTION order_ext.version() IS
'Shows the version of the extension in this database.
Returns: such as 0.4';

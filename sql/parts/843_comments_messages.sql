-- What the calls about messages, consumer groups and running do; see 841_comments_orders.sql.

COMMENT ON TYPE order_ext.result IS 'Answer of a call that writes.';
COMMENT ON COLUMN order_ext.result.id IS 'What the call was about: an order, else an after-sale or a refund; NULL if there is none.';
COMMENT ON COLUMN order_ext.result.status IS 'Its status after the call, by name.';
COMMENT ON COLUMN order_ext.result.version IS 'Its version: 1 after creation, one more with every transition.';
COMMENT ON COLUMN order_ext.result.disposition IS 'What the call did.';
COMMENT ON COLUMN order_ext.result.detail IS 'Facts; IDs are strings, amounts are numbers in minor units.';

COMMENT ON TYPE order_ext.message IS 'What a handler sees of a message.';
COMMENT ON COLUMN order_ext.message.id IS 'Same through timer, retries and redrive.';
COMMENT ON COLUMN order_ext.message.topic IS 'Topic of the message.';
COMMENT ON COLUMN order_ext.message.key IS 'Key given by the publisher.';
COMMENT ON COLUMN order_ext.message.payload IS 'Payload given by the publisher.';
COMMENT ON COLUMN order_ext.message.attempt IS 'Number of the attempt, from 1.';
COMMENT ON COLUMN order_ext.message.published_at IS 'When it was published.';

COMMENT ON FUNCTION order_ext.create_topic(text, jsonb) IS
'Creates a topic, which belongs to its caller.
The owner may publish and subscribe to it, cancel its messages, and grant_topic these to others.
topic: its name, up to 128 characters
options: max_depth, the most messages that can wait for the slowest group (default unlimited); dedup_window, an interval for which a dedup_key is remembered (default 1 day, up to a year)
Raises: 22004; 22023 unknown or invalid option; 54000; 42710 the topic exists; OE110';

COMMENT ON FUNCTION order_ext.alter_topic(text, jsonb) IS
'Changes options of a topic, from the next transactions on.
A longer dedup_window applies to the keys that are still remembered.
topic: a topic of your own, or any for operators
options: as of create_topic, and owner, a role that the topic is given to (its grants stay); options not named stay as they are, null resets to the default, and leaves the owner
Raises: 22004; 22023 unknown or invalid option; 54000; OE701 unknown topic; 42501 built-in topic, or another role''s; 42704 owner is not a role; OE110';

COMMENT ON FUNCTION order_ext.grant_topic(text, regrole, text) IS
'Grants a role a privilege on a topic.
For its owner and for operators. Members of the role have it, too; a role that is made later under the name of a dropped one does not.
topic: a topic of your own, or any for operators
role: who gets it
privilege: publish (register_asset needs it, too), subscribe, or cancel (cancel_message, reschedule_message)
Raises: 22004; 22023 unknown privilege; 54000; 42704 unknown role; OE701 unknown topic; 42501 built-in topic, or another role''s; OE110';

COMMENT ON FUNCTION order_ext.revoke_topic(text, regrole, text) IS
'Takes back what grant_topic gave; nothing happens if it was not granted.
Groups that the role has subscribed go on. The owner has every privilege for good.
topic: a topic of your own, or any for operators
role: who loses it
privilege: as of grant_topic
Raises: 22004; 22023 unknown privilege; 54000; 42704 unknown role; OE701 unknown topic; 42501 built-in topic, or another role''s; OE110';

COMMENT ON FUNCTION order_ext.drop_topic(text) IS
'Drops a topic that no group and no asset uses.
Its timers and grants are removed with it.
topic: a topic of your own, or any for operators
Raises: 22004; 54000; OE701 unknown topic; 42501 built-in topic, or another role''s; 2BP01 a group or an asset uses it; OE110';

COMMENT ON FUNCTION order_ext.publish(text, bigint, jsonb, timestamptz, text) IS
'Publishes a message, now or for later, as part of the caller''s transaction.
topic: a topic of your own, or one that you were granted publish on
key: groups messages that belong together; a handler sees it, and ordered groups keep the order of each key
payload: up to order_ext.max_payload bytes
deliver_at: not before this time; a past time, or NULL: now
dedup_key: up to 256 characters; within the topic''s dedup_window only the first message with it is published, and a second publisher waits for the transaction of the first. It is free again once the message was canceled, or every group of the topic has given it up: dead, or discarded
Returns: the ID of the message, or of the first one with this dedup_key
Raises: 22004; 22023 infinite deliver_at; 54000; OE701 unknown topic; OE703 the topic is full (its max_depth); 42501 built-in topic, or no right to publish to it; OE110';

COMMENT ON FUNCTION order_ext.cancel_message(bigint) IS
'Cancels a message that was published for later and has not fired. Its dedup_key is free again.
message_id: as returned by publish
Returns: true if the message will not be delivered; false if there is no such timer any more
Raises: 22004; 22023; 42501 built-in topic, or no right to cancel messages of it; OE110; 25006';

COMMENT ON FUNCTION order_ext.reschedule_message(bigint, timestamptz) IS
'Gives a message that was published for later, and has not fired, another time.
It keeps its ID and its dedup_key, and may be rescheduled again, or canceled.
message_id: as returned by publish
deliver_at: sooner or later than before; a past time delivers it now
Returns: true if the message will be delivered at that time; false if there is no such timer any more
Raises: 22004; 22023 infinite deliver_at; 42501 built-in topic, or no right to cancel messages of it; 40001; OE110; 25006';

COMMENT ON FUNCTION order_ext.subscribe(text, text, regprocedure, jsonb) IS
'Creates a consumer group of a topic, or changes one.
With a handler, workers call it for every message; without, the messages wait for receive(). Topic and start of a group cannot be changed.
The handler is f(order_ext.message) returns void, or f(order_ext.message[]) returns void for batches. It runs with search_path "$user", public unless it sets its own.
consumer_group: its name, up to 128 characters
topic: a built-in topic, one of your own, or one that you were granted subscribe on
handler: the function; NULL: for external consumers
options: max_attempts 1 to 1000 (default 16); backoff exponential (default) or rocketmq; ordered (default false): while a message has failed, those of its key wait; start now (default) or earliest; handler_timeout: an interval of up to 24 days, 0 for no limit (default: as order_ext.handler_timeout says); run_as: a role with LOGIN that the caller is a member of, and no superuser if there is a handler (default the caller)
Raises: 22004; 22023; 54000; OE701 unknown topic; 42710 the group reads another topic; 42501 no right to subscribe to the topic, the role may not run this function, or is a superuser, or the name is a built-in group''s; 42704 unknown role; 42883 there is no such function; 55000 called by a handler; OE110';

COMMENT ON FUNCTION order_ext.unsubscribe(text) IS
'Drops a consumer group with its position, retries, leases, dead letters and attempts.
consumer_group: a group of your own
Raises: 22004; 54000; OE701 unknown group; 42501 built-in group; 55000 called by a handler; OE110';

COMMENT ON FUNCTION order_ext.register_asset(text, text) IS
'Adds a kind of asset that is released when an order is canceled.
order.release_assets then publishes one more message, to this topic: key the order ID, payload {order_id, user_id, kind}. The same kind again changes its topic.
kind: its name, up to 128 characters
topic: a topic of your own, or one that you were granted publish on
Raises: 22004; 54000; OE701 unknown topic; 42501 built-in kind or topic, or no right to publish to it; OE110';

COMMENT ON FUNCTION order_ext.unregister_asset(text) IS
'Removes a kind of asset.
kind: its name
Raises: 22004; 54000; OE001 unknown kind; 42501 built-in kind, or no right to publish to its topic (operators need none); OE110';

COMMENT ON FUNCTION order_ext.pause(text) IS
'Stops the delivery of a consumer group''s messages; a batch in progress is finished.
consumer_group: any group, built-in ones included
Raises: 22004; 54000; OE701 unknown group; OE110';

COMMENT ON FUNCTION order_ext.resume(text) IS
'Continues the delivery of a paused consumer group''s messages.
consumer_group: any group
Raises: 22004; 54000; OE701 unknown group; OE110';

COMMENT ON FUNCTION order_ext.redrive(text, integer, bigint[], boolean) IS
'Delivers dead letters again, oldest first, under the same message IDs.
Today''s options of the group apply; the attempts start over. Those whose dedup_key was published again meanwhile are left out: discard them.
consumer_group: any group
max_messages: NULL: all
message_ids: only these; NULL: all
dry_run: only count
Returns: the number of messages
Raises: 22004; 22023; 54000; OE701 unknown group; OE110; 40001';

COMMENT ON FUNCTION order_ext.discard(text, integer, bigint[], boolean) IS
'Gives up dead letters, oldest first: they are not delivered any more.
In an ordered group, messages that wait behind them continue.
consumer_group: any group
max_messages: NULL: all
message_ids: only these; NULL: all
dry_run: only count
Returns: the number of messages
Raises: 22004; 22023; 54000; OE701 unknown group; OE110; 40001';

COMMENT ON FUNCTION order_ext.replay(text, timestamptz, timestamptz, bigint[], boolean) IS
'Delivers messages of the log once more that a group has finished, or never had.
They are delivered in the old order, under the same message IDs, from attempt 1, as far as the log reaches back (order_ext.log_retention). Discarded messages count as finished, unless their dedup_key was published again; messages that the group has not finished are left alone. Each replayed message is copied.
consumer_group: a group of your own
published_since: publishing time to start at; of a timer, when it was published
published_until: publishing time to stop before; NULL: no end
message_ids: only these; NULL: all
dry_run: only count
Returns: the number of messages
Raises: 22004; 22023; 54000; OE701 unknown group; 42501 built-in group; OE110; 40001';

COMMENT ON FUNCTION order_ext.dispatch(integer) IS
'Does the work of the background workers in this transaction: due timers, retries, messages.
Delivers what was committed before, and what its own handlers publish. Runs built-in handlers and, unless the caller is a superuser, those that run as the caller. Call it until it returns 0.
max_messages: NULL: unlimited
Returns: the number of messages given to handlers, failed ones included
Raises: 22023; 55000 not enabled in this database, or called by a handler; 25006; 40001';

COMMENT ON FUNCTION order_ext.enable_dispatch() IS
'Enables workers and dispatch() in a restored or copied database, or in a copy of the server.
No effect where they are enabled already. What counts as a copy: docs/copies.md.
Raises: OE110; 25006 on a standby';

-- ---- external consumers ----

COMMENT ON FUNCTION order_ext.receive(text, integer, interval) IS
'Leases messages of a group without handler to the caller.
Never waits for another receiver: messages that it holds are passed over. In an ordered group, a call parks up to about 5,000 messages or 16 MB that wait for an earlier one of their key. For members of the group''s role.
consumer_group: a group without handler
max_messages: 1 to 10000; more counts as 10000
lease: counted from the commit of this call, up to 366 days; a message not acknowledged by then is delivered again
Returns: one row per message; fewer than asked for is no sign that none is left
message_id: same on every delivery
topic: topic of the message
key: key of the message
payload: payload of the message
attempt: number of the delivery, from 1
token: proof of the lease, for ack, nack and extend_lease
published_at: when it was published
Raises: 22004; 22023; 22003; 54000; OE701 unknown group; 42501 not a member of the group''s role; 55000 the group has a handler, or dispatch is not enabled in this database; 25006; 40001';

COMMENT ON FUNCTION order_ext.ack(text, bigint[]) IS
'Acknowledges messages: they are done.
If one of the leases was lost, the whole call fails.
consumer_group: a group without handler
tokens: from receive
Returns: the number of messages
Raises: 22004; 54000; OE701 unknown group; 42501 not a member of the group''s role; OE702 a lease was lost; OE110; 25006; 40001';

COMMENT ON FUNCTION order_ext.nack(text, bigint[], interval, text) IS
'Reports that the processing of messages failed: they are delivered again later.
After max_attempts they become dead letters. If one of the leases was lost, the whole call fails.
consumer_group: a group without handler
tokens: from receive
retry_after: up to 366 days; NULL: the group''s backoff
error: kept with the attempt, truncated to 1 kB
Returns: the number of messages
Raises: 22004; 22023; 22003; 54000; OE701 unknown group; 42501 not a member of the group''s role; OE702 a lease was lost; OE110; 25006; 40001';

COMMENT ON FUNCTION order_ext.extend_lease(text, bigint[], interval) IS
'Extends leases; the tokens stay valid.
If one of the leases was lost, the whole call fails.
consumer_group: a group without handler
tokens: from receive
lease: counted from the commit of this call, up to 366 days
Returns: the number of messages
Raises: 22004; 22023; 22003; 54000; OE701 unknown group; 42501 not a member of the group''s role; OE702 a lease was lost; OE110; 25006; 40001';

COMMENT ON PROCEDURE order_ext.wait_for_messages(text, interval, boolean) IS
'Waits until receive() has something to return or to park, without a snapshot, lock or transaction ID.
It occupies its session; behind a connection pooler keep the time short.
consumer_group: a group without handler
timeout: the longest wait, up to 366 days
ready: output: true if there is something to receive, false after the timeout
Raises: 22004; 22023; 22003; 54000; OE701 unknown group; 42501 not a member of the group''s role; 55000 the group has a handler, or dispatch is not enabled in this database; 25001 inside a transaction block or a function';

-- ---- running ----

COMMENT ON FUNCTION order_ext.verify(text) IS
'Checks the invariants of orders, money, stock, coupons and messages under one snapshot.
Reads only, safe in production. No row means that everything is in order. See docs/invariants.md.
recent looks at what no full check has covered, which maintain() keeps small, and at all warnings.
scope: recent, full (or all), or one invariant in full, such as I6
Returns: one row per finding
invariant: I1 to I18
severity: error: an invariant is broken; warning: something waits for a person or a worker
entity: what it is about, such as order 123 or sku A-1
expected: what should be
actual: what is
Raises: 22004; 22023; 54000';

COMMENT ON FUNCTION order_ext.metrics() IS
'Shows messages and workers of this database in the Prometheus text format.
Quick whatever is waiting: beyond 1,000 of a kind, per group, numbers are estimates.
Returns: the text';

COMMENT ON FUNCTION order_ext.maintain() IS
'Removes old rows: expired idempotency keys, superseded progress, messages past retention.
Works in batches up to a bound; call it regularly. Without preloaded workers it also truncates the log.
It first checks what was written since its last call, and everything once in order_ext.verify_interval, so
that verify() need not look at it again. If order_ext.order_retention is set, it moves settled orders that are older to the archive, some hundreds a call.
Returns: the number of rows removed, and of orders archived
Raises: OE110; 25006';

COMMENT ON FUNCTION order_ext.erase_buyer(bigint) IS
'Removes what is personal of a buyer, and keeps the books.
Of all settled orders of the buyer, archived ones included: the address, the remark and all other options but region, channel, currency and external_id; the reasons that the buyer gave; what warehouse and carrier sent; addresses and remarks in messages. Attributes of lines, tracking numbers of what the buyer sent back, and what gateways sent, stay. Orders that are not over, or of which an after-sale is under way, still need them and are left: call it again later.
user_id: the buyer
Returns: what was looked through
orders: orders that are not in the archive
archived: orders that are
messages: messages that an address or a remark was removed from
left_open: orders that were left as they are
dropped: orders that were exported and dropped: erase the buyer in what was exported
Raises: 22004; 22023; OE110; 25006';

COMMENT ON FUNCTION order_ext.export_archived(bigint, integer) IS
'Shows documents of archived orders, by order, so that they can be stored elsewhere and dropped.
Those that were settled longer ago than order_ext.archive_retention. Changes nothing: it can be repeated, and works on a standby. Store an order again if it is shown again: what it holds is newer.
after: go on after this order
max_orders: how many; at most 10000
Returns: the documents
order_id: the order
digest: what drop_archived wants to see: SHA-256 of the text of the document in UTF-8, in hexadecimal digits
document: all of the order: its rows by table, and what get_order and order_timeline have answered
Raises: 55000 order_ext.archive_retention is -1; 22004; 22023';

COMMENT ON FUNCTION order_ext.drop_archived(bigint[], text[]) IS
'Drops documents from the archive that somebody has stored elsewhere.
A document is dropped if this is its digest, so nothing is lost that was not exported, nor what was changed since. Numbers of the order stay taken, and its money and stock are counted. Can be repeated.
order_ids: the orders, at most 10000
digests: for each the digest that export_archived showed, or better, that of what was stored
Returns: what became of each order
order_id: the order
disposition: applied it is dropped; replayed it was already; changed this is not its document any more, export it again; too_recent it was settled later than order_ext.archive_retention says; busy somebody brings it back, or changes it; not_archived it is not in the archive, or not any more
Raises: 55000 order_ext.archive_retention is -1; 22004; 22023; 54000; OE110; 25006';

COMMENT ON FUNCTION order_ext.restore_archived(bigint, jsonb) IS
'Puts the document of an order that was dropped back into the archive.
The order then answers again, and comes back when something is reported about it. What erase_buyer would have removed in the meantime is removed.
order_id: the order
document: what export_archived showed
Returns: the order
Dispositions: applied it is back; noop it was not dropped
Raises: 22004; 22023 the document is another one; 54000; OE001; OE110; 25006';

COMMENT ON FUNCTION order_ext.schedule_jobs() IS
'Registers expire_orders() every minute and maintain() every five minutes with pg_cron.
The jobs belong to the caller, who needs LOGIN and USAGE on schema cron. Calling it again replaces them.
Raises: 42501; 55000 pg_cron is not installed in this database';

COMMENT ON FUNCTION order_ext.unschedule_jobs() IS
'Removes the caller''s jobs that schedule_jobs() registered.
Raises: 42501; 55000 pg_cron is not installed in this database';

COMMENT ON FUNCTION order_ext.grant_to(regrole, text) IS
'Grants a role the calls and views of a kind.
For superusers, after CREATE EXTENSION and again after an update. A role can have several kinds.
role: the role
kind: app, callback, operator, observer or worker
Raises: 22004; 22023 unknown kind';

COMMENT ON FUNCTION order_ext.revoke_from(regrole, text) IS
'Takes back from a role what grant_to gave it for a kind.
For superusers. What the role has for another kind of its own, or was granted otherwise on other objects, stays; so does what it is as a member of other roles, what is registered for it (groups, gateways, hooks), its topics and their grants.
role: the role
kind: app, callback, operator, observer or worker
Raises: 22004; 22023 unknown kind; 2BP01 it has passed the privileges on';

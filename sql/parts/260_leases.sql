-- What external consumers have received and not yet answered. See src/message/lease/leases.h.

-- leases: one row per message that a consumer holds; a copy, so that it does not depend on the
-- log. token is the receive() call (its receipt) * 16384 + the place in its result: unique, and
-- greater than that of every earlier delivery of the message. until_receipt: the row of
-- lease_receipts that says when the lease ends; extend_lease() changes it.
CREATE TABLE order_ext_internal.leases (
	token bigint PRIMARY KEY,
	message_id bigint NOT NULL,
	key bigint NOT NULL,
	published_at timestamptz NOT NULL,
	leased_at timestamptz NOT NULL,
	until_receipt bigint NOT NULL,
	group_id integer NOT NULL,
	topic_id integer NOT NULL,
	attempt integer NOT NULL,
	payload jsonb NOT NULL
);
CREATE INDEX leases_key ON order_ext_internal.leases (group_id, key);

-- lease_receipts: when the leases of one receive() or extend_lease() end, counted from its
-- commit: written last before it. tokens: the leases of an extend_lease(); those of a receive()
-- are found by the range of their tokens. Deleted once it has expired and none of its leases is
-- left.
CREATE TABLE order_ext_internal.lease_receipts (
	receipt bigint PRIMARY KEY,
	lease_until timestamptz NOT NULL,
	group_id integer NOT NULL,
	tokens bigint[]
);
CREATE INDEX lease_receipts_until ON order_ext_internal.lease_receipts (group_id, lease_until);

CREATE SEQUENCE order_ext_internal.lease_receipt_seq;

-- The quickstart's shop: a role that may do what an application may, and the
-- catalog, stock and coupons it sells with.  The psql variable "clients" is the
-- number of pgbench clients; each sells to 200 users of its own (buyer.pgbench).

CREATE ROLE shop LOGIN;
SELECT order_ext.grant_to('shop', 'app');
SELECT order_ext.grant_to('shop', 'callback');

SELECT order_ext.put_product('SKU-' || n, 'Product number ' || n, 500 + 137 * n)
FROM generate_series(1, 20) AS n;
SELECT order_ext.put_freight('island', 1200, 20000);

-- What was put in, to hold the balance against at the end.
CREATE TABLE stock_in (sku text PRIMARY KEY, quantity bigint NOT NULL);
INSERT INTO stock_in SELECT 'SKU-' || n, 10000 FROM generate_series(1, 20) AS n;
SELECT order_ext.adjust_stock(sku, quantity, 'first delivery', 'delivery-' || sku)
FROM stock_in;

-- The shop's own note of who holds which coupon.
CREATE TABLE wallet (
  coupon_id bigint PRIMARY KEY,
  user_id bigint NOT NULL,
  spent boolean NOT NULL DEFAULT false
);
INSERT INTO wallet (user_id, coupon_id)
SELECT user_id, order_ext.issue_coupon(user_id, 300, threshold => 400)
FROM (SELECT client * 1000 + n AS user_id
      FROM generate_series(0, :clients - 1) AS client, generate_series(1, 200) AS n) AS users;
CREATE INDEX ON wallet (user_id);
GRANT SELECT, UPDATE ON wallet TO shop;

-- What the shop hears from order_ext: a handler of its own for three topics,
-- run by the workers as a role of its own.  The key would refuse a message that
-- came twice.
CREATE ROLE shop_handlers LOGIN;
CREATE TABLE heard (message_id bigint PRIMARY KEY, topic text NOT NULL, order_id bigint NOT NULL);
GRANT INSERT ON heard TO shop_handlers;
CREATE FUNCTION hear(messages order_ext.message[]) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  INSERT INTO heard SELECT m.id, m.topic, m.key FROM unnest(messages) AS m;
END;
SELECT order_ext.subscribe('shop.' || topic, topic, 'hear(order_ext.message[])', '{"run_as": "shop_handlers"}')
FROM unnest(ARRAY['order.created', 'order.paid', 'order.canceled']) AS topic;

-- What the warehouse and the carrier will tell, and which buyers cancel meanwhile.
CREATE TABLE parcel_event (
  n integer PRIMARY KEY,
  order_id bigint NOT NULL,
  user_id bigint NOT NULL,
  event_id text NOT NULL,
  kind text NOT NULL
);
GRANT SELECT ON parcel_event TO shop;

-- What buyers send back or want money for, what the staff will say, and whether what
-- comes back can be sold again.
CREATE TABLE application (
  n integer PRIMARY KEY,
  order_id bigint NOT NULL,
  user_id bigint NOT NULL,
  type text NOT NULL,
  lines jsonb NOT NULL,
  whole boolean NOT NULL,
  accepted boolean NOT NULL,
  restock boolean NOT NULL,
  after_sale_id bigint
);
GRANT SELECT, UPDATE ON application TO shop;

-- A payment gateway outside of order_ext: the refunds it was asked for, and those that
-- each refund worker has claimed and not asked for yet.
CREATE TABLE gateway_book (
  refund_id bigint PRIMARY KEY,
  amount bigint NOT NULL,
  calls integer NOT NULL,
  outcome text NOT NULL
);
CREATE TABLE claimed (
  refund_id bigint PRIMARY KEY,
  worker integer NOT NULL,
  order_id bigint NOT NULL,
  amount bigint NOT NULL,
  attempt integer NOT NULL
);
GRANT SELECT, INSERT, UPDATE ON gateway_book TO shop;
GRANT SELECT, INSERT, DELETE ON claimed TO shop;

-- Payment notices that the gateway sends after the fact, and our answers.
CREATE TABLE notice (
  n integer PRIMARY KEY,
  story text NOT NULL,
  order_id bigint NOT NULL,
  trade_no text NOT NULL,
  pay_type text NOT NULL,
  amount bigint NOT NULL
);
CREATE TABLE answer (part text NOT NULL, story text NOT NULL, disposition text NOT NULL);
GRANT SELECT ON notice TO shop;
GRANT INSERT ON answer TO shop;

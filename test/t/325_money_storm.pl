# A storm about money: clients refund, withdraw, settle, record, dispute, claim, fail, retry, take
# back and decide about the captures of the same few orders at once, half of them in REPEATABLE
# READ, and with the workers on. The test keeps books of its own: what each call that was applied
# says has gone back is written in the same transaction. Then never more has gone back of a payment
# than was captured, books and views agree to the cent, and all that is left can go back by calls of
# staff and the machinery, until nothing is left.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $seconds = $ENV{STORM_SECONDS} || 12;
my $clients = $ENV{STORM_CLIENTS} || 8;

my $node = PostgreSQL::Test::Cluster->new('money');
$node->init;
$node->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = 'order_ext'
max_worker_processes = 16
fsync = off
log_line_prefix = '%m [%p] %e %q%a '
CONF
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION order_ext');

$node->safe_psql('postgres', <<'SQL');
CREATE SCHEMA t;
CREATE TABLE t.orders (n bigserial PRIMARY KEY, order_id bigint NOT NULL);
CREATE TABLE t.books (payment_id bigint NOT NULL, amount bigint NOT NULL, call text NOT NULL);
-- what no call may answer
CREATE TABLE t.unexpected (call text, sqlstate text, message text);
CREATE SEQUENCE t.numbers;

SELECT order_ext.put_product('M1', 'goods', 70), order_ext.put_product('M2', 'goods', 30), order_ext.put_freight('*', 13);
SELECT available FROM unnest('{M1,M2}'::text[]) AS sku, LATERAL order_ext.adjust_stock(sku, 100000);

CREATE FUNCTION t.int(low bigint, high bigint) RETURNS bigint LANGUAGE sql VOLATILE
	RETURN low + floor(random() * (high - low + 1))::bigint;

CREATE FUNCTION t.create_one() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	cart jsonb := jsonb_build_array(jsonb_build_object('sku', 'M1', 'quantity', t.int(1, 4)), jsonb_build_object('sku', 'M2', 'quantity', 1));
	amount bigint := order_ext.quote_order(1, cart)->>'pay_amount';
	r order_ext.result := order_ext.create_order(1, cart, amount);
	step text;
BEGIN
	INSERT INTO t.orders (order_id) VALUES (r.id);
	PERFORM order_ext.pay_callback(r.id, 'T-' || r.id, 'mo', CASE WHEN random() < 0.2 THEN amount - 1 ELSE amount END);
	IF random() < 0.5 THEN
		PERFORM order_ext.pay_callback(r.id, 'T2-' || r.id, 'mo', amount);
	END IF;
	-- facts that wait for the fulfillment
	FOREACH step IN ARRAY '{out_stock,delivering,signed}'::text[] LOOP
		EXIT WHEN random() < 0.3;
		PERFORM order_ext.shipment_event(r.id, step, step);
	END LOOP;
END
$$;

-- Money has gone back, or has come back after all.
CREATE FUNCTION t.book(r order_ext.result, call text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO t.books VALUES ((r.detail->>'payment_id')::bigint, (r.detail->>'amount')::bigint * CASE WHEN call = 'reversed' THEN -1 ELSE 1 END, call);
END
$$;
-- The gateway: that it has paid it may take back, but not say that it has paid after all what had failed and was not
-- asked again. It answers about a refund once at a time.
CREATE TABLE t.gateway (refund_id bigint PRIMARY KEY);
CREATE FUNCTION t.answer(id bigint, wanted text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	said text;
	r order_ext.result;
BEGIN
	INSERT INTO t.gateway VALUES (id) ON CONFLICT (refund_id) DO UPDATE SET refund_id = excluded.refund_id;
	SELECT CASE status WHEN 'failed' THEN 'failed' ELSE wanted END INTO said FROM order_ext.refunds_view WHERE refund_id = id;
	r := order_ext.refund_callback(id, said, CASE WHEN said = 'succeeded' THEN 'G-' || id END);
	IF r.disposition = 'applied' AND r.status = 'succeeded' THEN
		PERFORM t.book(r, 'refund_callback');
	ELSIF r.detail->>'reason' = 'refund_reversed' THEN
		PERFORM t.book(r, 'reversed');
	END IF;
END
$$;
CREATE FUNCTION t.settle(id bigint, amount bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	r order_ext.result := order_ext.settle_refund(id, amount, 'another amount');
BEGIN
	IF r.disposition = 'applied' THEN
		PERFORM t.book(r, 'settle_refund');
	END IF;
END
$$;
CREATE FUNCTION t.record(id bigint, trade_no text, amount bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	r order_ext.result := order_ext.record_refund(id, trade_no, 'mo', 'R-' || nextval('t.numbers'), amount);
BEGIN
	IF r.disposition = 'applied' THEN
		PERFORM t.book(r, 'record_refund');
	END IF;
END
$$;
CREATE FUNCTION t.dispute(id bigint, trade_no text, number text, outcome text, amount bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	r order_ext.result := order_ext.payment_disputed(id, trade_no, 'mo', number, outcome, amount);
BEGIN
	IF r.disposition = 'applied' AND outcome = 'lost' THEN
		PERFORM t.book(r, 'payment_disputed');
	END IF;
END
$$;

CREATE FUNCTION t.act() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	calls text[] := '{create,refund,refund,refund all,refund lines,decide,decide,duplicate,withdraw,withdraw,settle,settle,record,record,open,end,claim,claim,claim,answer,answer,answer,retry,apply,review,close,cancel,pay}';
	call text := calls[t.int(1, cardinality(calls))];
	last bigint := (SELECT last_value FROM t.orders_n_seq);
	o record;
	p record;
	r record;
	a record;
	why text;
	context text;
BEGIN
	SELECT v.* INTO o FROM t.orders JOIN order_ext.orders_view v USING (order_id)
	WHERE n <= last - (8 * random() ^ 2)::bigint ORDER BY n DESC LIMIT 1;
	IF o IS NULL OR call = 'create' THEN
		IF o IS NULL OR random() < 0.3 THEN
			PERFORM t.create_one();
		END IF;
		RETURN;
	END IF;
	SELECT v.* INTO p FROM order_ext.payments_view v WHERE v.order_id = o.order_id AND v.status = 'captured' ORDER BY random() LIMIT 1;
	SELECT v.* INTO r FROM order_ext.refunds_view v WHERE v.order_id = o.order_id AND v.cause NOT IN ('recorded', 'dispute') ORDER BY random() LIMIT 1;
	SELECT v.* INTO a FROM order_ext.after_sales_view v WHERE v.order_id = o.order_id ORDER BY random() LIMIT 1;
	CASE call
		WHEN 'refund' THEN PERFORM order_ext.refund_order(o.order_id, t.int(1, o.pay_amount), request_id => CASE WHEN random() < 0.3 THEN 'r' || o.order_id END);
		WHEN 'refund all' THEN PERFORM order_ext.refund_order(o.order_id);
		WHEN 'refund lines' THEN PERFORM order_ext.refund_order(o.order_id, lines => '[{"sku": "M1", "quantity": 1}]', freight => random() < 0.3);
		WHEN 'decide' THEN PERFORM order_ext.resolve_held_payment(p.payment_id, CASE WHEN random() < 0.2 THEN 'accept' ELSE 'refund' END, random() < 0.5);
		WHEN 'duplicate' THEN PERFORM order_ext.resolve_held_payment(p.payment_id, 'duplicate');
		WHEN 'withdraw' THEN PERFORM order_ext.withdraw_refund(r.refund_id, 'kept') WHERE r.refund_id IS NOT NULL;
		WHEN 'settle' THEN PERFORM t.settle(r.refund_id, t.int(1, r.amount + 1)) WHERE r.refund_id IS NOT NULL;
		WHEN 'record' THEN PERFORM t.record(o.order_id, p.out_trade_no, t.int(1, p.amount));
		WHEN 'open' THEN PERFORM t.dispute(o.order_id, p.out_trade_no, 'D-' || p.payment_id, 'opened', t.int(1, p.amount));
		WHEN 'end' THEN PERFORM t.dispute(o.order_id, p.out_trade_no, 'D-' || p.payment_id, CASE WHEN random() < 0.5 THEN 'won' ELSE 'lost' END, t.int(1, p.amount));
		WHEN 'claim' THEN PERFORM order_ext.claim_refunds(t.int(1, 5)::integer, 'storm', '1 hour');
		WHEN 'answer' THEN PERFORM t.answer(r.refund_id, CASE WHEN random() < 0.7 THEN 'succeeded' ELSE 'failed' END) WHERE r.refund_id IS NOT NULL;
		WHEN 'retry' THEN PERFORM order_ext.retry_refund(r.refund_id) WHERE r.refund_id IS NOT NULL;
		WHEN 'apply' THEN PERFORM order_ext.apply_after_sale(o.order_id, 1, 'refund_only', jsonb_build_array(jsonb_build_object('sku', 'M1', 'quantity', 1)));
		WHEN 'review' THEN PERFORM order_ext.review_after_sale(a.after_sale_id, random() < 0.8) WHERE a.after_sale_id IS NOT NULL;
		WHEN 'close' THEN PERFORM order_ext.close_after_sale(a.after_sale_id, 'otherwise') WHERE a.after_sale_id IS NOT NULL;
		WHEN 'cancel' THEN PERFORM order_ext.cancel_order(o.order_id, refund_policy => CASE WHEN random() < 0.3 THEN 'hold' ELSE 'full' END) WHERE random() < 0.3;
		WHEN 'pay' THEN PERFORM order_ext.pay_callback(o.order_id, 'T3-' || t.int(1, 3) || '-' || o.order_id, 'mo', o.pay_amount);
	END CASE;
	IF random() < 0.05 THEN
		RAISE EXCEPTION 'the client changed its mind' USING ERRCODE = 'ZZ000';
	END IF;
EXCEPTION
	WHEN SQLSTATE 'ZZ000' OR SQLSTATE 'OE101' OR SQLSTATE 'OE103' OR SQLSTATE 'OE110' OR SQLSTATE 'OE301' OR SQLSTATE 'OE501' OR SQLSTATE 'OE503' OR SQLSTATE 'OE601' OR SQLSTATE '40001' THEN
		IF SQLSTATE = 'OE601' AND call <> 'refund' OR SQLSTATE = 'OE103' AND call <> 'cancel'
			OR SQLSTATE = '40001' AND current_setting('transaction_isolation') = 'read committed' THEN
			INSERT INTO t.unexpected VALUES (call, SQLSTATE, SQLERRM);
		END IF;
	WHEN OTHERS THEN
		GET STACKED DIAGNOSTICS why = PG_EXCEPTION_DETAIL, context = PG_EXCEPTION_CONTEXT;
		INSERT INTO t.unexpected VALUES (call, SQLSTATE, concat_ws(' | ', SQLERRM, why, context));
END
$$;

-- What is left of a capture: not gone, nor asked for, nor failed and to be retried.
CREATE VIEW t.left AS
	SELECT p.order_id, p.payment_id, p.purpose, p.amount - coalesce((
		SELECT sum(r.amount) FROM order_ext.refunds_view r LEFT JOIN order_ext.after_sales_view a USING (after_sale_id)
		WHERE r.payment_id = p.payment_id AND (r.status IN ('requested', 'submitted', 'succeeded')
			OR (r.status = 'failed' AND (a.status IS NULL OR a.status NOT IN ('rejected', 'closed', 'revoked'))))), 0) AS amount
	FROM order_ext.payments_view p WHERE p.status = 'captured' AND p.purpose <> 'duplicate';
-- Books and views, or more than was captured: nothing.
CREATE VIEW t.wrong AS
	SELECT p.payment_id, p.purpose, p.amount, coalesce(b.amount, 0) AS books, coalesce(r.amount, 0) AS views
	FROM order_ext.payments_view p
	LEFT JOIN (SELECT payment_id, sum(amount) AS amount FROM t.books GROUP BY 1) b USING (payment_id)
	LEFT JOIN (SELECT payment_id, sum(amount) AS amount FROM order_ext.refunds_view WHERE status = 'succeeded' GROUP BY 1) r USING (payment_id)
	WHERE coalesce(b.amount, 0) <> coalesce(r.amount, 0) OR coalesce(b.amount, 0) > CASE WHEN p.purpose = 'duplicate' THEN 0 ELSE p.amount END;
-- What is on record about the first of them.
CREATE VIEW t.why AS
	SELECT timeline.* FROM (SELECT payment_id FROM t.wrong ORDER BY 1 LIMIT 1) w JOIN order_ext.payments_view p USING (payment_id),
		LATERAL order_ext.order_timeline(p.order_id) timeline WHERE timeline.detail->>'payment_id' = w.payment_id::text;
-- Staff gives everything back.
CREATE PROCEDURE t.give_back() LANGUAGE plpgsql AS $$
BEGIN
	FOR round IN 1..10 LOOP
		PERFORM t.dispute(order_id, out_trade_no, dispute_no, 'won', NULL) FROM order_ext.disputes_view d JOIN order_ext.payments_view p USING (order_id, payment_id) WHERE d.status = 'opened';
		PERFORM order_ext.retry_refund(refund_id) FROM order_ext.refunds_view WHERE status = 'failed' OR held;
		PERFORM CASE WHEN purpose = 'applied' THEN order_ext.refund_order(order_id) ELSE order_ext.resolve_held_payment(payment_id, 'refund') END FROM t.left WHERE amount > 0;
		COMMIT;
		PERFORM order_ext.claim_refunds(100000, 'storm', '1 hour');
		COMMIT;
		PERFORM t.answer(refund_id, 'succeeded') FROM order_ext.refunds_view WHERE status = 'submitted';
		COMMIT;
		EXIT WHEN NOT EXISTS (SELECT FROM t.left WHERE amount > 0) AND NOT EXISTS (SELECT FROM order_ext.refunds_view WHERE status IN ('requested', 'submitted'));
	END LOOP;
END
$$;
SQL

my $script = $node->basedir . '/act.sql';
append_to_file($script, "SELECT t.act();\n");
my $script_rr = $node->basedir . '/act_rr.sql';
append_to_file($script_rr, "BEGIN ISOLATION LEVEL REPEATABLE READ;\nSELECT t.act();\nCOMMIT;\n");
$node->command_ok(
	[ 'pgbench', '-n', '-f', $script, '-f', $script_rr, '-c', $clients, '-j', 2, '-T', $seconds, 'postgres' ],
	"$clients clients for $seconds s");

is($node->safe_psql('postgres', 'SELECT call, sqlstate, message, count(*) FROM t.unexpected GROUP BY 1, 2, 3 LIMIT 20'),
	'', 'every call answered with a disposition or a SQLSTATE of its contract');
my $drained = q(SELECT NOT EXISTS (SELECT FROM order_ext.consumer_stats WHERE lag > 0 OR retrying > 0));
ok($node->poll_query_until('postgres', $drained), 'the workers have done what was to be done');

# ---- the books ----
is($node->safe_psql('postgres', 'SELECT * FROM t.wrong LIMIT 10'), '', 'books and views agree, and never more than was captured');
is($node->safe_psql('postgres', q(SELECT * FROM order_ext.verify('full') WHERE severity = 'error' LIMIT 10)), '', 'verify() finds no error');
my $report = q(
	SELECT pay_type, sum(captured), sum(applied + late + surplus + held + unmatched), sum(refunded + disputed + refund_open + kept)
	FROM order_ext.money_report GROUP BY 1
	HAVING sum(captured) <> sum(applied + late + surplus + held + unmatched) OR sum(captured) <> sum(refunded + disputed + refund_open + kept));
is($node->safe_psql('postgres', $report), '', 'the report adds up');
diag($node->safe_psql('postgres', 'SELECT from_status, to_status, event, actor, detail FROM t.why'));
diag($node->safe_psql('postgres', q(SELECT string_agg(format('%s %s', n, call), ', ') FROM (SELECT call, count(*) AS n FROM t.books GROUP BY 1 ORDER BY 1) b)));

# ---- all of it goes back ----
$node->safe_psql('postgres', 'CALL t.give_back()');
ok($node->poll_query_until('postgres', $drained), 'and again');
is($node->safe_psql('postgres', 'SELECT * FROM t.left WHERE amount <> 0 LIMIT 10'), '', 'nothing is left of any capture');
is($node->safe_psql('postgres', 'SELECT * FROM t.wrong LIMIT 10'), '', 'books and views agree');
is($node->safe_psql('postgres', q(
	SELECT p.payment_id, p.amount, sum(b.amount) FROM order_ext.payments_view p LEFT JOIN t.books b USING (payment_id)
	WHERE p.status = 'captured' AND p.purpose <> 'duplicate' GROUP BY 1, 2 HAVING p.amount <> coalesce(sum(b.amount), 0) LIMIT 10)),
	'', 'all that was captured has gone back, to the cent');
is($node->safe_psql('postgres', $report), '', 'the report adds up');
is($node->safe_psql('postgres', q(SELECT * FROM order_ext.verify('full') WHERE severity = 'error' LIMIT 10)), '', 'verify() finds no error');
is($node->safe_psql('postgres', 'SELECT * FROM order_ext.dead_letters LIMIT 10'), '', 'no dead letters');

$node->stop;
done_testing();

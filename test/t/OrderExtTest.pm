# What the TAP tests of the workers have in common.
package OrderExtTest;

use strict;
use warnings;

use Exporter 'import';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

our @EXPORT = qw(start_node configure create_handlers create_handled wait_sql wait_workers workers check_log verify_clean worker_pid create_old_orders codes);

# A preloaded server. Extra lines go to its configuration.
sub start_node
{
	my ($name, @conf) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);

	$node->init;
	configure($node, @conf);
	$node->start;
	return $node;
}

# The numbers in rows, by their names: $codes->{ledger_kind}{release}. Those of statuses can be had in
# SQL, too, by order_ext.status_code().
sub codes
{
	my ($node, $database) = @_;
	my %codes;
	foreach my $row (split /\n/, $node->safe_psql($database, 'SELECT set, name, code FROM order_ext_internal.codes()'))
	{
		my ($set, $name, $code) = split /\|/, $row;
		$codes{$set}{$name} = $code;
	}
	return \%codes;
}

# The configuration of such a server.
sub configure
{
	my ($node, @conf) = @_;

	$node->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = 'order_ext'
max_worker_processes = 16
autovacuum = off
log_line_prefix = '%m [%p] %b %d '
restart_after_crash = on
CONF
	$node->append_conf('postgresql.conf', "$_\n") foreach @conf;
	return;
}

# The role that handlers of the tests run as; it may use what is made there from now on.
sub create_handlers
{
	my ($node, $database) = @_;

	$node->safe_psql($database, <<'SQL');
DO $$
BEGIN
	IF to_regrole('handlers') IS NULL THEN
		CREATE ROLE handlers LOGIN;
	END IF;
	PERFORM order_ext.grant_to('handlers', 'operator'), order_ext.grant_to('handlers', 'worker');
END
$$;
ALTER DEFAULT PRIVILEGES GRANT USAGE ON SCHEMAS TO handlers;
ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO handlers;
ALTER DEFAULT PRIVILEGES GRANT ALL ON SEQUENCES TO handlers;
SQL
	return;
}

# A topic t, a group g whose handler notes each message in table handled.
sub create_handled
{
	my ($node, $database) = @_;

	create_handlers($node, $database);
	$node->safe_psql($database, <<'SQL');
CREATE TABLE handled (
	id bigint, key bigint, attempt integer, at timestamptz DEFAULT clock_timestamp(),
	pid integer DEFAULT pg_backend_pid());
CREATE FUNCTION note(m order_ext.message) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO public.handled (id, key, attempt) VALUES (m.id, m.key, m.attempt);
END
$$;
SELECT order_ext.create_topic('t');
SELECT order_ext.subscribe('g', 't', 'public.note(order_ext.message)', '{"run_as": "handlers"}');
SQL
	return;
}

# Poll until the query answers as expected; reports its last answer if it never does.
# Errors of the connection (a restarting server) are only another wrong answer. The seconds are
# what it takes at most where nothing else runs; a busy machine gets ten times as long.
sub wait_sql
{
	my ($node, $database, $query, $expected, $seconds, $name) = @_;
	my $deadline = time() + 10 * $seconds;
	my $answer;

	while (1)
	{
		my ($rc, $out, $err) = $node->psql($database, $query);
		$answer = $rc == 0 ? $out : "error: $err";
		last if $answer eq $expected || time() > $deadline;
		sleep 0.05;
	}
	return is($answer, $expected, $name);
}

# The kinds of the database's live workers, sorted, as "dispatcher,scheduler". The dispatcher of
# create_handlers() comes beside those of the bootstrap superuser; it counts where it is alone.
sub workers
{
	my ($database) = @_;
	return "SELECT coalesce(string_agg(substr(backend_type, 11), ',' ORDER BY backend_type), '')"
	  . " FROM pg_stat_activity WHERE backend_type LIKE 'order_ext %' AND datname = '$database'"
	  . " AND NOT (usename = 'handlers' AND EXISTS (SELECT FROM pg_stat_activity WHERE usename <> 'handlers'"
	  . " AND backend_type = 'order_ext dispatcher' AND datname = '$database'))";
}

# Wait until the database has its workers, or has none. Asked from another database.
sub wait_workers
{
	my ($node, $database, $expected, $seconds, $name) = @_;
	return wait_sql($node, 'postgres', workers($database), $expected, $seconds, $name);
}

# One of them: the dispatcher is that of the handlers, if there is one.
sub worker_pid
{
	my ($node, $database, $kind) = @_;
	return $node->safe_psql('postgres',
		"SELECT pid FROM pg_stat_activity WHERE backend_type = 'order_ext $kind'"
		  . ($kind eq 'launcher' ? '' : " AND datname = '$database'")
		  . " ORDER BY usename = 'handlers' DESC LIMIT 1");
}

# So many orders of January 2025 and of user 7, of which nothing was heard since: signed, every
# fourth canceled with its money back. The second call makes others; external_id is X-round-n.
# No workers run.
sub create_old_orders
{
	my ($node, $database, $round, $n) = @_;

	$node->safe_psql($database, <<"SQL");
DO \$\$
BEGIN
	PERFORM order_ext.put_product('OLD', 'old', 1000), order_ext.set_stock('OLD', 100000);
	PERFORM order_ext.import_orders((SELECT jsonb_agg(jsonb_build_object('external_id', 'X-$round-' || i, 'user_id', 7,
		'status', CASE i % 4 WHEN 0 THEN 'paid' ELSE 'signed' END, 'freight', 50, 'pay_amount', 2050,
		'items', '[{"sku": "OLD", "quantity": 2, "price": 1000}]'::jsonb,
		'created_at', timestamptz '2025-01-05 10:00Z' + interval '1 hour' * $round,
		'options', '{"remark": "ring twice", "address": {"street": "Long Lane"}}'::jsonb,
		'payments', jsonb_build_array(jsonb_build_object('pay_type', 'oldpay', 'out_trade_no', 'T-$round-' || i))))
		FROM generate_series(1, $n) AS i));
	PERFORM order_ext.cancel_order(order_id) FROM order_ext.orders_view WHERE external_id LIKE 'X-$round-%' AND status = 'paid';
END
\$\$;
DO \$\$
BEGIN
	-- the canceled ones get their refunds, and those are made
	FOR i IN 1..1000 LOOP
		PERFORM order_ext.dispatch();
		COMMIT;
		PERFORM order_ext.refund_callback(refund_id, 'succeeded', 'R-' || refund_id)
		FROM order_ext.claim_refunds(1000, 'test', '1 day', '{oldpay}');
		COMMIT;
		EXIT WHEN NOT EXISTS (SELECT FROM order_ext.consumer_stats WHERE lag > 0 OR retrying > 0);
	END LOOP;
END
\$\$;
BEGIN;
SET LOCAL session_replication_role = replica;
UPDATE order_ext_internal.transition_log SET at = at - interval '90 days' WHERE at > now() - interval '90 days';
UPDATE order_ext_internal.orders SET canceled_at = canceled_at - interval '90 days' WHERE canceled_at > now() - interval '90 days';
UPDATE order_ext_internal.message_log_0 SET published_at = published_at - interval '90 days' WHERE published_at > now() - interval '90 days';
COMMIT;
SQL
	return;
}

# verify() finds no broken invariant.
sub verify_clean
{
	my ($node, $database, $name) = @_;
	return is($node->safe_psql($database, "SELECT * FROM order_ext.verify() WHERE severity = 'error'"),
		'', $name || 'verify() finds no error');
}

# The log holds none of what must never happen (nor of what the caller adds).
sub check_log
{
	my ($node, %options) = @_;
	my $log = slurp_file($node->logfile);
	my $bad = 'PANIC:|TRAP:';
	my @found;

	$bad .= '|was terminated by signal' unless $options{crashes};
	$bad .= "|$options{also}" if $options{also};
	@found = grep { /$bad/ } split /\n/, $log;
	return is(join("\n", @found), '', $options{name} || 'nothing bad in the log');
}

1;

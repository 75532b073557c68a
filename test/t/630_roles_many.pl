# More roles than a database has dispatchers for: none is forgotten in silence, and the log does
# not repeat itself.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use OrderExtTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_node('many', 'max_worker_processes = 8');

# The warnings about roles of that name, one each.
sub warned
{
	my ($name, $why) = @_;
	my $log = slurp_file($node->logfile);
	return scalar(() = $log =~ /that run as role "$name\d+" are waiting in database "postgres"\n[^\n]*DETAIL:  $why/g);
}

# Something for the dispatchers that look at the roles to do: $n transactions.
sub keep_busy
{
	my ($n) = @_;
	foreach my $i (1 .. $n)
	{
		$node->safe_psql('postgres', "SELECT order_ext.publish('t', $i)");
		wait_sql($node, 'postgres', "SELECT count(*) FROM handled WHERE key = $i", '1', 60, "message $i is handled");
	}
	return;
}

$node->safe_psql('postgres', 'CREATE EXTENSION order_ext');
create_handled($node, 'postgres');

# 70 roles that may not log in: more than were remembered as warned of.
$node->safe_psql('postgres', <<'SQL');
DO $$
BEGIN
	FOR i IN 1..70 LOOP
		EXECUTE format('CREATE ROLE locked%s LOGIN', i);
		PERFORM order_ext.subscribe('locked' || i, 't', 'public.note(order_ext.message)', jsonb_build_object('run_as', 'locked' || i));
		EXECUTE format('ALTER ROLE locked%s NOLOGIN', i);
	END LOOP;
END
$$;
SQL
keep_busy(5);
is(warned('locked', 'The role is not permitted to log in'), 70, 'each role that may not log in is told of once');
$node->safe_psql('postgres', q{SELECT count(order_ext.unsubscribe('locked' || i)) FROM generate_series(1, 70) AS i});
$node->safe_psql('postgres', 'TRUNCATE handled');

# 66 roles that may, handlers among them: 64 have a dispatcher, or wait for their turn.
$node->safe_psql('postgres', <<'SQL');
DO $$
BEGIN
	FOR i IN 1..65 LOOP
		EXECUTE format('CREATE ROLE shop%s LOGIN', i);
		PERFORM order_ext.subscribe('shop' || i, 't', 'public.note(order_ext.message)', jsonb_build_object('run_as', 'shop' || i));
		EXECUTE format('ALTER ROLE shop%s CONNECTION LIMIT -1', i);
	END LOOP;
END
$$;
SQL
wait_sql($node, 'postgres', "SELECT count(*) FROM order_ext.worker_stats WHERE state = 'too many roles'", '2', 60,
	'worker_stats tells of those that have no place');
is(warned('shop', 'Handlers of 64 other roles run there'), 2, 'and so does the log');

$node->safe_psql('postgres', q{SELECT count(order_ext.unsubscribe('shop' || i)) FROM generate_series(1, 2) AS i});
wait_sql($node, 'postgres', "SELECT count(*) FROM order_ext.worker_stats WHERE state = 'too many roles'", '0', 60,
	'where others have gone there is a place');

$node->stop('fast');
done_testing();

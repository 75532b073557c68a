# Slots are short, roles take turns, and a database comes that has no scheduler yet: it is next in line
# for the slot that is made free, which no role's dispatcher takes instead.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use OrderExtTest;
use PostgreSQL::Test::Utils;
use Test::More;

# The launcher and the logical replication launcher take one each. The scheduler and the built-in
# handlers of the first database take two more, and of its many roles two find a slot.
my $node = start_node('line', 'max_worker_processes = 6', 'log_min_messages = debug1', 'log_min_duration_statement = 0');
my $roles = 20;

$node->safe_psql('postgres', 'CREATE DATABASE first; CREATE DATABASE second');
$node->safe_psql('first', <<'SQL');
CREATE EXTENSION order_ext;
CREATE TABLE handled (key bigint PRIMARY KEY, who text DEFAULT current_user);
GRANT INSERT ON handled TO PUBLIC;
CREATE FUNCTION note(m order_ext.message) RETURNS void LANGUAGE sql AS 'INSERT INTO public.handled VALUES (m.key)';
SQL
$node->safe_psql('first', "CREATE ROLE r$_ LOGIN; SELECT order_ext.create_topic('t$_'), order_ext.subscribe('g$_', 't$_', 'note(order_ext.message)', '{\"run_as\": \"r$_\"}')")
  foreach (1 .. $roles);
$node->safe_psql('first', "SELECT order_ext.publish('t' || r, r) FROM generate_series(1, $roles) AS r");
wait_sql($node, 'first', 'SELECT count(*) > 3 FROM handled', 't', 120, 'the roles take turns');

my $before = -s $node->logfile;
$node->safe_psql('second', 'CREATE EXTENSION order_ext');
wait_sql($node, 'postgres', q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'order_ext scheduler' AND datname = 'second'}, '1', 120,
	'the other database has its scheduler');
# From when it was announced, which is no later than the session says so; it may have come before.
my ($until) = substr(slurp_file($node->logfile), $before) =~ /client backend second LOG:  duration:(.*?)starting background worker process "order_ext scheduler"/s;
my $others = () = ($until // '') =~ /starting background worker process "order_ext dispatcher"/g;
note("dispatchers started before it: $others");
cmp_ok($others, '<=', 5, 'before the roles that wait, but for those whose turn it was');

verify_clean($node, 'first');
$node->stop('fast');
check_log($node);
done_testing();

# A dispatcher that dies again and again is missed where one looks, and comes back when the
# reason is gone.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use OrderExtTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_node('failing');

$node->safe_psql('postgres', 'CREATE EXTENSION order_ext');
create_handled($node, 'postgres');
wait_workers($node, 'postgres', 'dispatcher,scheduler', 5, 'workers are there');
$node->safe_psql('postgres', <<'SQL');
CREATE FUNCTION deadly(m order_ext.message) RETURNS void LANGUAGE sql AS $$
	SELECT pg_catalog.pg_terminate_backend(pg_catalog.pg_backend_pid())
$$;
SELECT order_ext.create_topic('poison');
SELECT order_ext.subscribe('deadly', 'poison', 'public.deadly(order_ext.message)', '{"run_as": "handlers"}');
SELECT order_ext.publish('poison', 1), order_ext.publish('t', 2);
SQL
wait_sql($node, 'postgres',
	"SELECT DISTINCT kind, state FROM order_ext.worker_stats"
	  . " WHERE database = 'postgres' AND pid IS NULL AND state = 'backing off'",
	'dispatcher|backing off', 60, 'worker_stats says why there is no dispatcher');

# The announcement that ALTER DATABASE ... SET makes ends the waiting.
$node->safe_psql('postgres', q{SELECT order_ext.unsubscribe('deadly')});
$node->safe_psql('postgres', 'ALTER DATABASE postgres SET order_ext.enabled = on');
wait_workers($node, 'postgres', 'dispatcher,scheduler', 15, 'the dispatcher is back');
wait_sql($node, 'postgres', 'SELECT array_agg(key) FROM handled', '{2}', 15, 'what had to wait is handled');
verify_clean($node, 'postgres');
check_log($node);
$node->stop('fast');
done_testing();

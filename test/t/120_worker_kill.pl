# kill -9 of a worker in the middle of a batch: the server goes through crash recovery, the
# workers come back by themselves, and every message takes effect exactly once.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use OrderExtTest;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $messages = 3000;
my $node = start_node('kill', 'order_ext.batch_size = 200');

$node->safe_psql('postgres', 'CREATE EXTENSION order_ext');
create_handled($node, 'postgres');
wait_workers($node, 'postgres', 'dispatcher,scheduler', 5, 'workers are there');
# Slow enough to be hit in mid-batch.
$node->safe_psql('postgres', <<'SQL');
CREATE OR REPLACE FUNCTION note(m order_ext.message) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO public.handled (id, key, attempt) VALUES (m.id, m.key, m.attempt);
	PERFORM pg_catalog.pg_sleep(0.001);
END
$$;
SQL

# What is acknowledged must take effect; clients note it outside the server.
my $published = $node->safe_psql('postgres',
	"SELECT count(order_ext.publish('t', n)) FROM generate_series(1, $messages) n");
is($published, $messages, 'messages are published');

foreach my $kind ('dispatcher', 'dispatcher', 'scheduler', 'launcher', 'dispatcher')
{
	my $handled = -1;
	my $pid = '';
	my $deadline = time() + 60;

	# Wait for it to be there, and for a dispatcher to be in a batch.
	while (time() < $deadline)
	{
		my ($rc, $out) = $node->psql('postgres',
			"SELECT pid FROM pg_stat_activity WHERE backend_type = 'order_ext $kind'"
			  . ($kind eq 'dispatcher' ? " AND backend_xid IS NOT NULL" : ''));
		$pid = defined $out ? $out : '';
		last if $rc == 0 && $pid =~ /^\d+$/;
		sleep 0.02;
	}
	like($pid, qr/^\d+$/, "a $kind to kill");
	my $log_offset = -s $node->logfile;
	kill 'KILL', $pid;
	$deadline = time() + 60;
	while (time() < $deadline && slurp_file($node->logfile, $log_offset) !~ /ready to accept connections/)
	{
		sleep 0.05;
	}
	like(slurp_file($node->logfile, $log_offset), qr/PID $pid\) was terminated by signal 9/,
		"the server noticed the $kind killed");
}

wait_sql($node, 'postgres', 'SELECT count(DISTINCT id) FROM handled', $messages, 120, 'every message took effect');
is($node->safe_psql('postgres', 'SELECT count(*) FROM handled'), $messages, 'and once');
is($node->safe_psql('postgres', 'SELECT count(DISTINCT key) FROM handled'), $messages, 'each its own');
wait_sql($node, 'postgres', "SELECT lag, retrying, dead FROM order_ext.consumer_stats WHERE consumer_group = 'g'",
	'0|0|0', 10, 'nothing is left over');
verify_clean($node, 'postgres');
check_log($node, crashes => 1);
$node->stop('fast');
done_testing();

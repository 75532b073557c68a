# examples/relay on real brokers: each message arrives, and those of a key for the first time in their
# order, although the broker is killed, the relay is killed with messages in its hands, and the
# database's connections are cut. The same messages are read from the WAL, as docs/feeding.md
# says: once each, in the order of their commits, while the log goes round.
use strict;
use warnings;

use File::Basename;
use File::Copy;
use FindBin;
use lib $FindBin::RealBin;

use IPC::Run;
use JSON::PP;
use OrderExtTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $top = $ENV{TESTDIR} || dirname(__FILE__) . '/../..';
my $build = PostgreSQL::Test::Utils::tempdir();
my $patience = 180;    # seconds, for what takes a few on an idle machine

copy("$top/examples/relay/$_", "$build/$_") or die $! foreach qw(relay.js brokers.js package.json .npmrc);
{
	local $ENV{HOME} = $build;
	delete local $ENV{TEST_CLOCK};    # certificates are of today
	local $ENV{npm_config_cache} = "$build/npm_cache";
	is(system_log('npm', 'install', '--prefix', $build, '--no-audit', '--no-fund', '--no-update-notifier'),
		0, 'npm installs what the relay needs');
}

# The other side: makes a durable place for messages as soon as the broker answers; tells how many
# there are; prints them in the order in which they arrived: topic, id, key, number, attributes.
append_to_file("$build/broker.js", <<'JS');
const { setTimeout: sleep } = require('timers/promises');
const [action] = process.argv.slice(2);
const url = new URL(process.env.BROKER_URL);
const print = (...words) => console.log(words.join(' '));

async function rabbitmq() {
  const connection = await require('amqplib').connect(url.href);
  const channel = await connection.createChannel();
  if (action === 'declare') {
    await channel.assertQueue('shop', { durable: true });
    await channel.bindQueue('shop', 'amq.topic', 't');
  } else if (action === 'count') {
    print((await channel.checkQueue('shop')).messageCount);
  } else {
    for (let m; (m = await channel.get('shop', { noAck: true }));) {
      const { messageId, headers, deliveryMode, contentType } = m.properties;
      print(m.fields.routingKey, messageId, headers.key, JSON.parse(m.content).n, deliveryMode === 2 && contentType === 'application/json');
    }
  }
  await connection.close();
}

async function jetstream() {
  const connection = await require('nats').connect({ servers: url.host });
  const jsm = await connection.jetstreamManager();
  if (action === 'declare') {
    await jsm.streams.add({ name: 'shop', subjects: ['order_ext.t'] });
  } else {
    const { state } = await jsm.streams.info('shop');
    if (action === 'count') print(state.messages);
    for (let seq = state.first_seq; action === 'drain' && seq <= state.last_seq; seq++) {
      const m = await jsm.streams.getMessage('shop', { seq });
      print(m.subject.replace('order_ext.', ''), m.header.get('Nats-Msg-Id'), m.header.get('Key'), m.json().n, m.header.has('Published-At'));
    }
  }
  await connection.close();
}

(async () => {
  for (;;) {
    try {
      await (url.protocol === 'amqp:' ? rabbitmq : jetstream)();
      process.exit(0);
    } catch (error) {
      if (action !== 'declare') throw error;
      await sleep(100);
    }
  }
})();
JS

# ---- brokers: how each is started, and the process to kill ----

my ($nats_port, $amqp_port, $dist_port, $epmd_port) = map { PostgreSQL::Test::Cluster::get_free_port() } 1 .. 4;
my (@harnesses, %pid);

sub launch
{
	my ($name, @command) = @_;
	my $harness = IPC::Run::start(\@command, '<', '/dev/null', '>>', "$build/$name.log", '2>>', "$build/$name.log");
	push @harnesses, $harness;
	return $harness;
}

sub start_nats
{
	my $harness = launch('nats', 'nats-server', '--jetstream', '--store_dir', "$build/nats", '--addr', '127.0.0.1', '--port', $nats_port);
	$pid{nats} = $harness->{KIDS}[0]{PID};
	return;
}

my %rabbitmq = (
	HOME => "$build/rabbitmq",
	RABBITMQ_NODENAME => "order_ext_$amqp_port\@localhost",
	RABBITMQ_MNESIA_BASE => "$build/rabbitmq/data",
	RABBITMQ_LOG_BASE => "$build/rabbitmq/log",
	RABBITMQ_LOGS => '-',
	RABBITMQ_PID_FILE => "$build/rabbitmq/pid",
	RABBITMQ_ENABLED_PLUGINS_FILE => "$build/rabbitmq/plugins",
	RABBITMQ_CONF_ENV_FILE => "$build/rabbitmq/none",
	RABBITMQ_CONFIG_FILE => "$build/rabbitmq/none",
	RABBITMQ_ADVANCED_CONFIG_FILE => "$build/rabbitmq/none",
	RABBITMQ_NODE_IP_ADDRESS => '127.0.0.1',
	RABBITMQ_NODE_PORT => $amqp_port,
	RABBITMQ_DIST_PORT => $dist_port,
	ERL_EPMD_PORT => $epmd_port,
	ERL_EPMD_ADDRESS => '127.0.0.1');

sub start_rabbitmq
{
	local @ENV{ keys %rabbitmq } = values %rabbitmq;
	unlink "$build/rabbitmq/pid";
	launch('rabbitmq', '/usr/lib/rabbitmq/bin/rabbitmq-server');
	foreach (1 .. 10 * $patience)
	{
		last if -s "$build/rabbitmq/pid";
		Time::HiRes::sleep(0.1);
	}
	($pid{rabbitmq}) = slurp_file("$build/rabbitmq/pid") =~ /(\d+)/;
	return;
}

mkdir "$build/rabbitmq" or die $!;
append_to_file("$build/rabbitmq/plugins", "[].\n");
append_to_file("$build/rabbitmq/.erlang.cookie", 'order_ext_test');
chmod 0400, "$build/rabbitmq/.erlang.cookie";
launch('epmd', 'epmd', '-port', $epmd_port, '-address', '127.0.0.1');

my %broker = (
	nats => { url => "nats://127.0.0.1:$nats_port", start => \&start_nats },
	rabbitmq => { url => "amqp://guest:guest\@127.0.0.1:$amqp_port", start => \&start_rabbitmq });
$_->{start}->() foreach values %broker;    # Erlang takes its time; meanwhile the rest

sub ask_broker
{
	my ($kind, $action) = @_;
	local $ENV{BROKER_URL} = $broker{$kind}{url};
	my ($out, $err) = ('', '');
	IPC::Run::run([ 'node', "$build/broker.js", $action ], '>', \$out, '2>', \$err, IPC::Run::timeout($patience))
	  or diag("$kind $action: $err");
	chomp $out;
	return $out;
}

# ---- the shop ----

my $node = start_node('relay', "wal_level = logical", 'order_ext.log_retention = 0', "listen_addresses = '127.0.0.1'");
my ($setup) = slurp_file("$top/examples/relay/README.md") =~ /^```sql\n(.*?)^```$/ms;
$setup =~ s/'order\.paid'/'t'/g or die 'the README has another topic';
my ($subscribe) = $setup =~ /(SELECT order_ext\.subscribe\(.*?;)/s;
$node->safe_psql('postgres', join ' ', q{CREATE EXTENSION order_ext; SELECT order_ext.create_topic('t');},
	$setup =~ s/relay_paid/relay_nats/r, $subscribe =~ s/relay_paid/relay_rabbitmq/r);
# servers that name the output plugins that they trust
if ($node->safe_psql('postgres', q{SELECT count(*) FROM pg_settings WHERE name = 'output_plugin_libraries'}))
{
	$node->append_conf('postgresql.conf', "output_plugin_libraries = 'pgoutput, wal2json'\n");
	$node->reload;
	wait_sql($node, 'postgres', 'SHOW output_plugin_libraries', 'pgoutput, wal2json', 10, 'wal2json is trusted');
}
my @pages = slurp_file("$top/docs/feeding.md") =~ /^```sql\n(.*?)^```$/msg;
my ($publication) = grep { /CREATE PUBLICATION/ } @pages;
my ($slot) = grep { /pg_create_logical_replication_slot/ } @pages;
my ($changes) = grep { /pg_logical_slot_get_changes/ } @pages;
$node->safe_psql('postgres', "$publication $slot SELECT pg_create_logical_replication_slot('by_publication', 'pgoutput')");

# Publishes in 12 keys, a transaction for each few messages, until told to stop. Some are timers.
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE published (n bigserial, id bigint, key bigint, timer boolean);
CREATE TABLE told (stop boolean);
CREATE PROCEDURE publish_until_told() LANGUAGE plpgsql AS $$
DECLARE
	i bigint := 0;
BEGIN
	WHILE NOT EXISTS (SELECT FROM told) LOOP
		i := i + 1;
		INSERT INTO published (n, id, key, timer)
			SELECT n, order_ext.publish('t', CASE WHEN n % 50 = 0 THEN 1000 + n ELSE n % 12 END, pg_catalog.jsonb_build_object('n', n),
				CASE WHEN n % 50 = 0 THEN clock_timestamp() + interval '100 ms' END),
				CASE WHEN n % 50 = 0 THEN 1000 + n ELSE n % 12 END, n % 50 = 0
			FROM generate_series(3 * i, 3 * i + 2) AS n;
		COMMIT;
		PERFORM pg_sleep(0.03);
	END LOOP;
END
$$;
SQL

my (%relay, %said);

sub start_relay
{
	my ($kind, $group) = (@_, "relay_$_[0]");
	local $ENV{BROKER_URL} = $broker{$kind}{url};
	local $ENV{DATABASE_URL} = sprintf 'postgresql://relay@127.0.0.1:%s/postgres', $node->port;
	$said{$kind} = '';
	$relay{$kind} = IPC::Run::start([ 'node', "$build/relay.js", $group, '4' ], '>&', \$said{$kind});
	push @harnesses, $relay{$kind};
	return;
}

# Wait until a relay has said something for the n-th time.
sub hears
{
	my ($kind, $what, $n, $name) = @_;
	my $timer = IPC::Run::timer($patience);
	$timer->start;
	my $count;
	while (($count = () = $said{$kind} =~ /$what/g) < $n && !$timer->is_expired)
	{
		$relay{$kind}->pump_nb;
		Time::HiRes::sleep(0.05);
	}
	return is($count, $n, "$kind: $name") || diag($said{$kind});
}

# Wait until so many more messages were published, or arrived.
sub more_published
{
	my ($kind, $more) = @_;
	my $so_far = $node->safe_psql('postgres', 'SELECT count(*) FROM published');
	return wait_sql($node, 'postgres', "SELECT count(*) >= $so_far + $more FROM published", 't', 20, "$kind: more is published");
}

sub more_arrived
{
	my ($kind, $more) = @_;
	my $wanted = ask_broker($kind, 'count') + $more;
	my $timer = IPC::Run::timer($patience);
	$timer->start;
	my $count;
	while (($count = ask_broker($kind, 'count')) < $wanted && !$timer->is_expired) { $relay{$kind}->pump_nb; }
	return cmp_ok($count, '>=', $wanted, "$kind: more arrives") || diag($said{$kind});
}

my $publisher = IPC::Run::start([ 'psql', '-X', '-q', '-d', $node->connstr('postgres'), '-c', 'CALL publish_until_told()' ], '>&', \my $psql_said);

# ---- every accident, in mid-stream ----

foreach my $kind (qw(nats rabbitmq))
{
	ask_broker($kind, 'declare');
	start_relay($kind);
	more_arrived($kind, 60);

	# the broker is killed
	my $lines = () = $said{$kind} =~ /cannot be reached/g;
	kill 'KILL', $pid{$kind};
	hears($kind, qr/^broker cannot be reached, waiting: /m, $lines + 1, 'says that the broker is away');
	more_published($kind, 60);
	is($node->safe_psql('postgres', "SELECT lag > 0 FROM order_ext.consumer_stats WHERE consumer_group = 'relay_$kind'"), 't', "$kind: messages wait");
	$relay{$kind}->pump_nb;
	is(scalar(() = $said{$kind} =~ /cannot be reached/g), $lines + 1, "$kind: says so once");
	$broker{$kind}{start}->();
	hears($kind, qr/^broker is back$/m, $lines + 1, 'says that it is back');
	more_arrived($kind, 60);

	# the relay is killed while the broker, asleep, has messages that it has not confirmed
	kill 'STOP', $pid{$kind};
	wait_sql($node, 'postgres', "SELECT count(*) > 0 FROM order_ext_internal.leases l JOIN order_ext_internal.consumer_groups g USING (group_id) WHERE g.name = 'relay_$kind'",
		't', 20, "$kind: messages are in its hands");
	$relay{$kind}->kill_kill(grace => 0);
	kill 'CONT', $pid{$kind};
	start_relay($kind);
	more_arrived($kind, 60);

	# the database's connections are cut
	is($node->safe_psql('postgres', "SELECT count(pg_terminate_backend(pid)) > 0 FROM pg_stat_activity WHERE usename = 'relay'"), 't', "$kind: cut off from the database");
	more_arrived($kind, 60);
}

# ---- all of it arrived ----

$node->safe_psql('postgres', 'INSERT INTO told VALUES (true)');
ok(IPC::Run::finish($publisher), 'the publisher ends') or diag($psql_said);
my @published = map { [ split /\|/ ] } split /\n/, $node->safe_psql('postgres', 'SELECT n, id, key FROM published ORDER BY n');
cmp_ok(scalar(@published), '>', 400, 'it has published ' . @published);

foreach my $kind (qw(nats rabbitmq))
{
	wait_sql($node, 'postgres', "SELECT lag, retrying, dead, parked FROM order_ext.consumer_stats WHERE consumer_group = 'relay_$kind'"
		  . " AND NOT EXISTS (SELECT FROM order_ext_internal.pending_timers)", '0|0|0|0', 60, "$kind: nothing is left");
	IPC::Run::signal($relay{$kind}, 'TERM');
	ok(IPC::Run::finish($relay{$kind}), "$kind: SIGTERM ends the relay") or diag($said{$kind});

	my $holds = ask_broker($kind, 'count');
	my @arrived = map { [ split / / ] } split /\n/, ask_broker($kind, 'drain');
	is(scalar(@arrived), $holds, "$kind: the broker has given out what it holds");
	my %known = map { $_->[1] => $_ } @published;
	is(join(' ', grep { !$known{$_} } map { $_->[1] } @arrived), '', "$kind: nothing arrived that was not published");
	my (%seen, %last);
	my @first = grep { !$seen{ $_->[1] }++ } @arrived;
	is(scalar(@first), scalar(@published), "$kind: each message arrived at least once")
	  or diag('missing, by number: ' . join ' ', map { $_->[0] } grep { !$seen{ $_->[1] } } @published);
	note("$kind: $#arrived + 1 arrivals of $#first + 1 messages");
	is(join(' ', map { $_->[1] } grep { my $late = $_->[3] <= ($last{ $_->[2] } // -1); $last{ $_->[2] } = $_->[3]; $late } @first), '', "$kind: none was overtaken by one of its key");
	my @wrong = grep { my $m = $known{ $_->[1] }; !$m || "@$_" ne "t $m->[1] $m->[2] $m->[0] true" } @arrived;
	is(join(' ', map { "@$_" } @wrong), '', "$kind: each with its id, key, topic and attributes");
}

# ---- and in the WAL ----

cmp_ok($node->safe_psql('postgres', "SELECT count(*) FROM order_ext_internal.ring_moves WHERE ring = 'log'"), '>', 1, 'the log has gone round meanwhile');
my ($gone) = $node->safe_psql('postgres', 'SELECT count(*) FROM published p WHERE NOT EXISTS (SELECT FROM order_ext_internal.message_log l WHERE l.message_id = p.id)');
cmp_ok($gone, '>', 0, 'and some messages are not in it any more');

my @changes = map { decode_json($_) } split /\n/, $node->safe_psql('postgres', "SELECT data FROM ($changes) AS c" =~ s/;//gr);
my @read = map { my %column = map { $_->{name} => $_->{value} } @{ $_->{columns} }; $_->{table} =~ /^message_log_/ && $column{topic_id} >= 1000 ? \%column : () } grep { $_->{action} eq 'I' } @changes;
is(scalar(@read), scalar(@published), 'the WAL has each message once');
is(join(' ', sort { $a <=> $b } map { $_->{message_id} } @read), join(' ', sort { $a <=> $b } map { $_->[1] } @published), 'and no other');
my %timer = map { $_->[0] => 1 } map { [$_] } split /\n/, $node->safe_psql('postgres', 'SELECT id FROM published WHERE timer');
is(join(' ', map { $_->{message_id} } grep { !$timer{ $_->{message_id} } } @read), join(' ', map { $_->[1] } grep { !$timer{ $_->[1] } } @published), 'in the order of commits');
cmp_ok(scalar(keys %timer), '>', 0, 'timers are among them');
is(join(' ', grep { $_ ne 'I' } map { $_->{action} } @changes), '', 'and nothing but inserts');

# What the publication lets through: the kinds of its messages, from pgoutput.
my %kinds = map { split /\|/ } split /\n/, $node->safe_psql('postgres', q{SELECT chr(get_byte(data, 0)), count(*)
	FROM pg_logical_slot_get_binary_changes('by_publication', NULL, NULL, 'proto_version', '1', 'publication_names', 'order_ext_messages') GROUP BY 1});
is(join(' ', sort keys %kinds), 'B C I R', 'the publication has inserts, no truncation');
cmp_ok($kinds{I}, '>=', scalar(@published), 'of all messages');

# ---- messages that nobody there wants, and nobody there ----

$node->safe_psql('postgres', q{SELECT order_ext.create_topic('u');
	SELECT order_ext.subscribe('unwanted_' || kind, 'u', options => '{"run_as": "relay", "ordered": true, "max_attempts": 1}')
	FROM unnest('{nats,rabbitmq,nobody}'::text[]) AS kind;
	SELECT order_ext.publish('u', 1)});
$broker{nobody} = { url => 'nats://127.0.0.1:' . PostgreSQL::Test::Cluster::get_free_port() };
start_relay($_, "unwanted_$_") foreach qw(nats rabbitmq nobody);
wait_sql($node, 'postgres', q{SELECT consumer_group, last_error FROM order_ext.dead_letters},
	'unwanted_rabbitmq|no queue is bound to u', 30, 'rabbitmq: what has no queue is a dead letter');
hears('nats', qr/^broker cannot be reached, waiting: no stream has order_ext\.u$/m, 1, 'a stream that is not there is waited for');
hears('nobody', qr/^broker cannot be reached, waiting: /m, 1, 'a broker that is not there is waited for');
is($node->safe_psql('postgres', q{SELECT count(*) FROM order_ext_internal.leases l JOIN order_ext_internal.consumer_groups g USING (group_id) WHERE g.name = 'unwanted_nobody'}),
	0, 'without taking messages');
foreach my $kind (qw(nats rabbitmq nobody))
{
	IPC::Run::signal($relay{$kind}, 'TERM');
	ok(IPC::Run::finish($relay{$kind}), "$kind: SIGTERM ends it meanwhile") or diag($said{$kind});
}
is($node->safe_psql('postgres', q{SELECT count(*) FROM order_ext.dead_letters}), 1, 'no other message is lost');

verify_clean($node, 'postgres');
check_log($node);

END
{
	my $status = $?;
	kill 'KILL', values %pid;
	$_->kill_kill(grace => 0) foreach grep { $_->pumpable } @harnesses;
	$? = $status;
}
done_testing();

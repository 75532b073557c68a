# docs/topics.md says what is published: its topics are the built-in ones; its fields, with their types
# and whether they are always there, are those of real messages; and its calls are those that published
# them, as far as these lives call them, and those whose comments say so.
use strict;
use warnings;

use File::Basename;
use FindBin;
use lib $FindBin::RealBin;

use OrderExtTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $top = $ENV{TESTDIR} || dirname(__FILE__) . '/../..';
my $page = slurp_file("$top/docs/topics.md");

# ---- what the page says: topic => { field => [type, present] }, and its other lines ----

my (%documented, %said);
my $common = fields($page =~ /## Common fields\n(.*?)\n## /s);
while ($page =~ /^## ([a-z_]+\.[a-z_]+)\n(.*?)(?=^## |\z)/msg)
{
	my ($topic, $text) = ($1, $2);
	$said{$topic} = $text;
	$documented{$topic} = { $text =~ /\[Common fields\]/ ? %$common : (), %{ fields($text) } };
}

# The rows of a table with the columns field, type, [present,] meaning.
sub fields
{
	my ($text) = @_;
	my %field;
	while ($text =~ /^\| (`[^|]+`) \| (id|text|time|number|boolean|array|object) \| (?:([^|]+) \| )?[^|]+ \|$/mg)
	{
		my ($names, $type, $present) = ($1, $2, $3);
		$field{$_} = [ $type, $present // 'always' ] foreach $names =~ /`(\w+)`/g;
	}
	return \%field;
}

# ---- the topics there are ----

my $node = start_node('topics');
$node->safe_psql('postgres', 'ALTER DATABASE postgres SET order_ext.enabled = off');
$node->safe_psql('postgres', 'CREATE EXTENSION order_ext');

sub rows
{
	my ($query) = @_;
	return map { [ split /\|/, $_, -1 ] } split /\n/, $node->safe_psql('postgres', $query);
}

my @topics = map { $_->[0] } rows('SELECT topic FROM order_ext.topics_view WHERE builtin ORDER BY 1');
is(join("\n", sort keys %documented), join("\n", sort @topics), 'the page has the built-in topics');

my ($current) = slurp_file("$top/order_ext.control") =~ /^default_version = '(.*)'/m;
my %reader = map { $_->[0] => 1 } rows('SELECT consumer_group FROM order_ext.subscriptions_view WHERE builtin');
foreach my $topic (@topics)
{
	my ($read_by) = $said{$topic} =~ /^- Read by: (.*)$/m;
	like($read_by, $reader{$topic} ? qr/^built-in group `\Q$topic\E`: / : qr/^none$/, "$topic: read by");
	my ($since) = $said{$topic} =~ /^- Since: (\d\.\d)/m;
	my ($first) = grep { slurp_file($_) =~ /'\Q$topic\E'/ } glob("$top/sql/released/order_ext--?.?.sql");
	like($first // "--$current.sql", qr/--\Q$since\E\.sql$/, "$topic: since");
}

# ---- who publishes: what the page and the comments say ----

my %publishes;    # call => { topic => 1 }
foreach my $row (rows(q{SELECT p.proname, substring(obj_description(p.oid, 'pg_proc') FROM E'\\nPublishes: ([^\\n]*)')
	FROM pg_proc p WHERE p.pronamespace = 'order_ext'::regnamespace}))
{
	my ($call, $text) = @$row;
	$publishes{$call} = { map { $_ => 1 } grep { $documented{$_} } $text =~ /([a-z_]+\.[a-z_]+)/g };
}

# calls, handlers of topics, topics that it comes with; anyone, where the page describes who it is
my %by;
foreach my $topic (@topics)
{
	my ($text) = $said{$topic} =~ /^- Published by: (.*)$/m;
	my %who = (anyone => scalar $text =~ /^(whatever|the call or handler) /, gateway => scalar $text =~ /gateway function/);
	$who{handlers}{$1} = 1 while $text =~ /\bthe handler of `([a-z_]+\.[a-z_]+)`/g;
	$who{with}{$1} = 1 while $text =~ /\bwith (?:every )?`([a-z_]+\.[a-z_]+)`/g;
	$who{calls} = { map { $_ => 1 } grep { $publishes{$_} } $text =~ /`(\w+)`/g };
	$by{$topic} = \%who;
	is(join(' ', grep { !$publishes{$_}{$topic} } sort keys %{ $who{calls} }), '', "$topic: the comments of calls that publish it say so");
	is(join(' ', grep { !$reader{$_} } sort keys %{ $who{handlers} }), '', "$topic: handlers that publish it exist");
}

# Whether a call that publishes these topics is one that the page has for this one.
sub is_said
{
	my ($call, $topic, %published) = @_;
	my $who = $by{$topic};

	return 1 if $who->{anyone} || $who->{calls}{$call} || grep { $published{$_} } keys %{ $who->{with} };
	return $call eq 'dispatch' && ($who->{handlers} || $who->{gateway});
}

foreach my $call (sort keys %publishes)
{
	is(join(' ', grep { !is_said($call, $_, %{ $publishes{$call} }) } sort keys %{ $publishes{$call} }),
		'', "$call: the page has it for what it publishes");
}

# ---- the lives: what each call has published, timers included ----

$node->safe_psql('postgres', <<'SQL');
CREATE TABLE published (calls text[], topic text, message_id bigint PRIMARY KEY);
CREATE FUNCTION note_published(calls text[]) RETURNS void LANGUAGE sql SECURITY DEFINER AS $$
	INSERT INTO public.published SELECT calls, t.name, m.message_id
	FROM (SELECT topic_id, message_id FROM order_ext_internal.message_log
		UNION SELECT topic_id, message_id FROM order_ext_internal.timer_ring
		UNION SELECT topic_id, message_id FROM order_ext_internal.timers_far) m
	JOIN order_ext_internal.topics t USING (topic_id) WHERE t.builtin
	ON CONFLICT DO NOTHING
$$;
SQL
my ($script, $statement) = ('', '');
foreach my $line (split /^/, slurp_file("$top/test/fixtures/topics.sql"))
{
	$script .= $line;
	$statement .= $line;
	next if $line !~ /(?:;|\\gset|\\gexec)\s*$/;
	my @calls = grep { $publishes{$_} } $statement =~ /\border_ext\.(\w+)\(/g;
	$script .= "SELECT note_published('{" . join(',', @calls) . "}');\n" if @calls;
	$statement = '';
}
my ($rc, $out, $err) = $node->psql('postgres', $script, on_error_stop => 1);
is($rc, 0, 'lives with every topic') or diag($err);

foreach my $row (rows('SELECT array_to_string(calls, $$ $$), string_agg(DISTINCT topic, $$ $$ ORDER BY topic) FROM published GROUP BY 1 ORDER BY 1'))
{
	my ($calls, $list) = @$row;
	my @published = split / /, $list;
	my %published = map { $_ => 1 } @published;
	foreach my $topic (@published)
	{
		ok(scalar(grep { is_said($_, $topic, %published) } split / /, $calls), "$calls published $topic: the page says so");
		ok(scalar(grep { $_ eq 'dispatch' || $publishes{$_}{$topic} } split / /, $calls), "and so does the comment");
	}
}

# ---- the payloads of real messages ----

my %json_type = (id => 'string', text => 'string', time => 'string', number => 'number', boolean => 'boolean', array => 'array', object => 'object');
my $messages = q{(SELECT t.name AS topic, l.payload, count(*) OVER (PARTITION BY t.name) AS messages
	FROM order_ext_internal.message_log l JOIN order_ext_internal.topics t USING (topic_id) WHERE t.builtin) m};
my %seen;
foreach my $row (rows("SELECT topic, f.key, string_agg(DISTINCT jsonb_typeof(f.value), '+' ORDER BY jsonb_typeof(f.value)),"
			. " bool_and(f.value::text ~ '^\"[0-9]+\"\$'), count(*) = min(messages)"
			. " FROM $messages, jsonb_each(payload) AS f GROUP BY 1, 2"))
{
	my ($topic, $field, $type, $digits, $always) = @$row;
	$seen{$topic}{$field} = { type => $type, digits => $digits eq 't', always => $always eq 't' };
}
foreach my $topic (grep { $_ ne 'ops.alert' } @topics)
{
	my ($says, $is) = ($documented{$topic}, $seen{$topic} // {});
	is(join(' ', sort keys %$says), join(' ', sort keys %$is), "$topic: the fields of its payloads");
	foreach my $field (grep { $is->{$_} } sort keys %$says)
	{
		my ($type, $present) = @{ $says->{$field} };
		is($is->{$field}{type}, $json_type{$type}, "$topic: $field is a $type");
		ok($is->{$field}{digits}, "$topic: $field has digits only") if $type eq 'id';
		is($is->{$field}{always}, $present eq 'always' ? 1 : '', "$topic: $field is there $present");
	}
}

# ---- ops.alert: the kind decides about the fields ----

my %kind;
while ($said{'ops.alert'} =~ /^\| `(\w+)` \| [^|]+ \| (`[^|]+) \|$/mg)
{
	my ($kind, $list) = ($1, $2);
	my %field = (kind => 'always');
	$field{$1} = $2 ? 'sometimes' : 'always' while $list =~ /`(\w+)`(\??)/g;
	%field = (%field, map { $_ => 'always' } keys %$common) if $kind !~ /^(dead_letter|backlog)$/;
	$kind{$kind} = \%field;
}
my @kinds = slurp_file("$top/src/core/alert.h") =~ /^#define ALERT_\w+\s+"(\w+)"/mg;
is(join(' ', sort keys %kind), join(' ', sort @kinds), 'the page has the kinds of alerts');

my %alert_type = (%$common, %{ fields($said{'ops.alert'}) });
foreach my $row (rows("SELECT DISTINCT payload->>'kind', (SELECT string_agg(f.key || ' ' || jsonb_typeof(f.value), ',' ORDER BY f.key) FROM jsonb_each(payload) AS f)"
			. " FROM $messages WHERE topic = 'ops.alert'"))
{
	my ($kind, $list) = @$row;
	my %is = map { split / / } split /,/, $list;
	my $says = $kind{$kind} // {};
	is(join(' ', grep { !$says->{$_} } sort keys %is), '', "alert $kind: no other fields than the page says");
	is(join(' ', grep { $says->{$_} eq 'always' && !$is{$_} } sort keys %$says), '', "alert $kind: every field that is always there");
	is(join(' ', grep { $is{$_} ne 'null' && $is{$_} ne ($json_type{ $alert_type{$_}[0] // '' } // '') } sort keys %is), '',
		"alert $kind: types");
}
my $told = join ' ', map { $_->[0] } rows("SELECT DISTINCT payload->>'kind' FROM $messages WHERE topic = 'ops.alert' ORDER BY 1");
is($told, join(' ', grep { !/^(backlog|payment_used_up)$/ } sort @kinds), 'alerts of all kinds but two were raised');

done_testing();

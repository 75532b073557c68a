# docs/topics.md says what is published: its topics are the built-in ones, and its fields, with
# their types and whether they are always there, are those of real messages.
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

# ---- the payloads of real messages ----

my ($rc, $out, $err) = $node->psql('postgres', slurp_file("$top/test/fixtures/topics.sql"), on_error_stop => 1);
is($rc, 0, 'lives with every topic') or diag($err);

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

# README and docs say what is true: what they show runs, their tables are complete, and the
# pages that are made from the catalog are what the catalog says now.
use strict;
use warnings;

use File::Basename;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $top = $ENV{TESTDIR} || dirname(__FILE__) . '/../..';
my @pages = ('README.md', 'README.zh-CN.md', 'SECURITY.md', map { substr $_, length("$top/") } glob("$top/docs/*.md $top/examples/*.md $top/examples/*/*.md $top/bench/*.md $top/monitoring/*.md $top/sql/*.md $top/src/*.md $top/src/*/*.md"));
my %text = map { $_ => slurp_file("$top/$_") } @pages;
my $readme = $text{'README.md'};

# The fenced blocks of a page: [language, text, whether it is marked as not run].
sub blocks
{
	my ($page) = @_;
	my @blocks;
	while ($text{$page} =~ /^((?:<!-- not run: [^\n]+ -->\n)?)```(\w*)\n(.*?)^```$/msg)
	{
		push @blocks, [ $2, $3, $1 ne '' ];
	}
	return @blocks;
}

# ---- a server as the README sets it up ----

my ($conf) = map { $_->[1] } grep { $_->[1] =~ /^# postgresql\.conf\n/ } blocks('README.md');
my $node = PostgreSQL::Test::Cluster->new('readme');
$node->init;
$node->append_conf('postgresql.conf', $conf);
$node->start;
$node->safe_psql('postgres', 'CREATE ROLE shop_app');
# The tour calls dispatch() where it does not want to wait; workers would race with it.
$node->safe_psql('postgres', 'ALTER DATABASE postgres SET order_ext.enabled = off');

# ---- every block of SQL runs, each page in one session; no other code but what says so ----

my %run;
foreach my $page (@pages)
{
	my $script = "\\set ON_ERROR_STOP 1\n";
	my $n = 0;
	foreach my $block (blocks($page))
	{
		my ($language, $code, $not_run) = @$block;
		next if $not_run;
		if ($language eq 'sql') { $script .= "$code\n"; $n++; }
		elsif ($language !~ /^(|mermaid|walls)$/    # walls: read by script/check-style
			&& "$page $language" ne 'docs/tutorial.md js')    # run by 425_examples_clients
		 { fail("$page: a block of $language that is not run and does not say so"); }
	}
	next if $n == 0;
	my ($out, $err);
	my $rc = $node->psql('postgres', $script, stdout => \$out, stderr => \$err);
	is($rc, 0, "$page: its SQL runs") or diag($err);
	$run{$page} = $out;
}
like($run{'README.md'}, qr/late_refund_queued/, 'the tour meets a late payment');
like($run{'README.md'}, qr/canceled\|timeout/, 'the tour sees an order time out');
like($run{'README.zh-CN.md'}, qr/late_refund_queued/, 'the tour in Chinese does, too');
$node->safe_psql('postgres', 'ALTER DATABASE postgres SET order_ext.enabled = on');
ok($node->poll_query_until('postgres',
		"SELECT count(*) = 0 FROM order_ext.consumer_stats s JOIN order_ext.subscriptions_view v USING (consumer_group)"
		  . " WHERE (v.builtin OR v.handler IS NOT NULL) AND (lag > 0 OR retrying > 0)"),
	'the workers finish what the tour began');
is($node->safe_psql('postgres', "SELECT count(*) FROM order_ext.verify() WHERE severity = 'error'"),
	'0', 'and the books are right');

# ---- links lead somewhere ----

# The anchors that a page offers, as GitHub makes them of headings.
sub anchors
{
	my ($page) = @_;
	my %anchor;
	(my $prose = $text{$page}) =~ s/^```.*?^```$//msg;
	while ($prose =~ /^#+ +(.+?)\s*$/mg)
	{
		my $slug = lc $1;
		$slug =~ s/[^\w\- ]//g;
		$slug =~ tr/ /-/;
		$anchor{$slug} = 1;
	}
	return \%anchor;
}

my @broken;
foreach my $page (@pages)
{
	(my $prose = $text{$page}) =~ s/^```.*?^```$//msg;
	while ($prose =~ /\]\(([^)\s]+)\)/g)
	{
		my ($path, $anchor) = $1 =~ /^([^#]*)#?(.*)$/;
		next if $path =~ /^https?:/;
		my $target = $path eq '' ? $page : dirname($page) . "/$path";
		$target =~ s{^\./}{};
		1 while $target =~ s{(^|/)(?!\.\./)[^/]+/\.\./}{$1};
		push @broken, "$page: $1" if !-e "$top/$target";
		push @broken, "$page: $path#$anchor"
		  if $anchor ne '' && -e "$top/$target" && !anchors($target)->{$anchor};
	}
}
is(join("\n", @broken), '', 'no link is broken');

# ---- diagrams: a marker names the machine, the block after it is its diagram ----

my @drawn;
while ($text{'docs/state-machines.md'} =~ /<!-- state_diagram: (\w+) -->\n```mermaid\n(.*?)```/sg)
{
	my ($machine, $text) = ($1, $2);
	my $now = $node->safe_psql('postgres', "SELECT order_ext.state_diagram('$machine')");
	s/\s+$// for $text, $now;
	is($text, $now, "diagram of $machine (script/state-diagrams renews it)");
	push @drawn, $machine;
}
is(join(' ', sort @drawn), 'after_sale coupon fulfilment order payment refund return', 'every machine is drawn');

# ---- the reference is what script/reference makes of the catalog now ----

my ($now, $err) = run_command([ "$top/script/reference", '-d', $node->connstr('postgres') ]);
is($err, '', 'script/reference runs');
ok("$now\n" eq $text{'docs/reference.md'}, 'docs/reference.md is its output')
  or diag(differences($now, $text{'docs/reference.md'}));

# The first lines that only one of two texts has.
sub differences
{
	my ($got, $expected) = @_;
	my %in_got = map { $_ => 1 } split /\n/, $got;
	my %in_expected = map { $_ => 1 } split /\n/, $expected;
	my @lines = ((map { "+ $_" } grep { !$in_expected{$_} } split /\n/, $got),
		(map { "- $_" } grep { !$in_got{$_} } split /\n/, $expected));
	return join "\n", grep { defined } @lines[ 0 .. 19 ];
}

# ---- invariants: the page has the checks that verify() makes, with their severities ----

my $checks_c = join '', map { slurp_file($_) } glob("$top/src/api/verify/*.c");
my @made;
while ($checks_c =~ /\{"(I\d+)",\s*"([^"]+)",\s*(\w+),/g)
{
	my ($invariant, $check, $query) = ($1, $2, $3);
	my ($sql) = $checks_c =~ /\b$query\[\] =(.*?);\n/s;
	foreach my $macro ($sql =~ /\b([A-Z][A-Z_]+)\(/g)
	{
		$sql .= $1 if $checks_c =~ /#define $macro\([^)]*\)((?:[^\n]*\\\n)+[^\n]*)/;
	}
	my %severity = map { $_ => 1 } $sql =~ /'(error|warning)'/g;
	push @made, "$invariant $check: " . join ', ', sort keys %severity;
}
cmp_ok(scalar @made, '>', 50, 'checks are there');
my ($invariant, @said);
foreach (split /\n/, $text{'docs/invariants.md'})
{
	$invariant = $1 if /^## (I\d+):/;
	push @said, "$invariant $1: $2" if /^\| ([^|]+) \| ((?:error|warning)[^|]*) \| [^|]+ \|$/;
}
is(join("\n", sort @said), join("\n", sort @made), 'docs/invariants.md has the checks of verify()');
my %has = map { (split / /)[0] => 1 } @made;
my @words = split /\n/, $node->safe_psql('postgres', "SELECT DISTINCT invariant FROM order_ext.verify()");
is(join(' ', grep { !$has{$_} } @words), '', 'and verify() reports no other');
foreach my $n (1 .. 17)
{
	like($text{'docs/invariants.md'}, qr/^## I$n: /m, "I$n is explained");
}

# ---- source bugs: every test that is named names the bug, and every bug of a test is listed ----

my (%listed, @wrong);
while ($text{'docs/source-bugs.md'} =~ /^\| (G\d+) \| [^|]+ \| [^|]+ \| ([^|]+) \|$/mg)
{
	my ($bug, $tests) = ($1, $2);
	$listed{$bug} = 1;
	push @wrong, "$bug: $tests" if $tests !~ /`/ && $tests !~ /^(cannot occur|not covered)$/;
	foreach my $test ($tests =~ /`(\w+)`/g)
	{
		my ($file) = grep { -e } "$top/test/sql/$test.sql", "$top/test/specs/$test.spec";
		push @wrong, "$bug: no test $test" if !$file;
		push @wrong, "$bug is not in $test" if $file && slurp_file($file) !~ /^\s*(?:--|#).*\b$bug\b/m;
	}
}
foreach my $file (glob("$top/test/sql/*.sql $top/test/specs/*.spec"))
{
	push @wrong, map { "$_ of $file is not listed" } grep { !$listed{$_} } slurp_file($file) =~ /^\s*(?:--|#).*?\b(G\d+)\b/mg;
}
is(join("\n", @wrong), '', 'docs/source-bugs.md has the bugs and their tests');

# ---- nothing is missing ----

my $reference_text = $text{'docs/reference.md'};
my @settings = split /\n/, $node->safe_psql('postgres',
	"SELECT name FROM pg_settings WHERE name LIKE 'order_ext.%' ORDER BY 1");
cmp_ok(scalar @settings, '>', 5, 'settings are there');
my @unnamed = grep { index($reference_text, "`$_`") < 0 } @settings;
is("@unnamed", '', 'every setting is in the reference');
my %is_setting = map { $_ => 1 } @settings;
my @unknown = grep { !$is_setting{$_} && $_ !~ /\.(control|so)$/ } map { /`(order_ext\.[a-z_]+)`/g }
  map { (my $t = $_) =~ s/^```.*?^```$//msg; $t } @text{ grep { $_ ne 'docs/reference.md' } @pages };
my %object = map { $_ => 1 } split /\n/, $node->safe_psql('postgres', q{
	SELECT DISTINCT 'order_ext.' || proname FROM pg_proc WHERE pronamespace = 'order_ext'::regnamespace
	UNION SELECT 'order_ext.' || relname FROM pg_class WHERE relnamespace = 'order_ext'::regnamespace});
@unknown = grep { !$object{$_} } @unknown;
is("@unknown", '', 'no page speaks of a setting that does not exist');

my @codes = map { "OE$_" } map { join '', /'(\d)'/g }
  grep { /define ERRCODE_OE_/ } split /\n/, slurp_file("$top/src/core/errors.h");
cmp_ok(scalar @codes, '>', 10, 'error codes are there');
@unnamed = grep { index($text{'docs/errors.md'}, $_) < 0 } @codes;
is("@unnamed", '', 'every SQLSTATE is in docs/errors.md');
my %is_code = map { $_ => 1 } @codes;
@unknown = grep { !$is_code{$_} } map { /\b(OE\d{3})\b/g } @text{@pages};
is("@unknown", '', 'no page speaks of a SQLSTATE that does not exist');

my @objects = split /\n/, $node->safe_psql('postgres', q{
	SELECT DISTINCT proname FROM pg_proc WHERE pronamespace = 'order_ext'::regnamespace
	UNION SELECT relname FROM pg_class WHERE relnamespace = 'order_ext'::regnamespace AND relkind = 'v'
	ORDER BY 1});
cmp_ok(scalar @objects, '>', 30, 'calls and views are there');
@unnamed = grep { index($readme, "`$_`") < 0 } @objects;
is("@unnamed", '', 'every call and view is in the README');

done_testing();

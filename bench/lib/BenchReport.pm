# The result of a run: JSON, a table, plots.
package BenchReport;

use strict;
use utf8;
use warnings;

use BenchMetrics;
use BenchServer;
use BenchSides;
use Exporter 'import';
use JSON::PP;
use POSIX qw(strftime);

our @EXPORT = qw(begin_report write_report);

my %run;

sub first_line { my ($text) = @_; return (split /\n/, $text // '')[0] // ''; }

sub of_file
{
	my ($file, $pattern) = @_;

	open(my $in, '<', $file) or return '';
	while (<$in>) { return $1 if /$pattern/; }
	return '';
}

sub begin_report
{
	my @options = grep { !/^(?:DIR|WORK|BINDIR|ROOT|NPM|NODE_PATH|OUT|PORT)$/ } map { /^BENCH_(.*)/ ? $1 : () } sort keys %ENV;
	my $commit = first_line(`git -c safe.directory='*' -C \Q$ENV{BENCH_ROOT}\E describe --always --dirty 2>/dev/null`);

	%run = (
		format => 1,
		started => strftime('%Y-%m-%dT%H:%M:%SZ', gmtime),
		machine => {
			processors => 0 + first_line(`nproc`),
			model => of_file('/proc/cpuinfo', qr/^model name\s*: (.*)/),
			memory_kb => 0 + of_file('/proc/meminfo', qr/^MemTotal:\s+(\d+)/),
			kernel => first_line(`uname -sr`),
			load_before => 0 + of_file('/proc/loadavg', qr/^(\S+)/),
		},
		commit => $commit || 'no checkout',
		options => { map { lc $_ => opt($_) } @options },
		settings => { map { split /=/, $_, 2 } split /\n/, sql('postgres', "SELECT name || '=' || current_setting(name) FROM pg_settings
			WHERE source NOT IN ('default', 'client', 'override') AND name !~ '(directories|_file|^TimeZone|^log_|^port\$|^lc_|application)'
			OR name IN ('fsync', 'synchronous_commit', 'full_page_writes', 'wal_level', 'autovacuum')") });
	return;
}

sub number
{
	my ($n) = @_;

	return '–' if !defined $n;
	return sprintf('%.0f', $n) if abs($n) >= 100;
	return sprintf(abs($n) >= 10 ? '%.1f' : '%.2f', $n);
}

sub of_rounds
{
	my ($s) = @_;

	return '–' if !$s;
	my $text = number($s->{median});
	$text .= ' (' . number($s->{least}) . ' – ' . number($s->{greatest}) . ')' if $s->{least} != $s->{greatest};
	return $text;
}

my %no_peer = map { $_ => 1 } qw(order_ext floor none select1);

# The peer that is best at it.
sub best_peer
{
	my ($result) = @_;
	my $sides = $result->{sides};
	my $sign = $result->{better} eq 'more' ? -1 : 1;
	my ($best) = sort { $sign * ($sides->{$a}{value}{median} <=> $sides->{$b}{value}{median}) }
		grep { !$no_peer{$_} } sort keys %$sides;

	return $best;
}

sub markdown
{
	my @results = results();
	my @lines = (
		"order_ext $run{versions}{order_ext} ($run{commit}), $run{versions}{postgresql}, $run{machine}{processors} processors ($run{machine}{model}), "
			. sprintf('%.0f GB of memory, ', $run{machine}{memory_kb} / 1048576)
			. "load $run{machine}{load_before} before and $run{machine}{load_after} after, $run{options}{rounds} round(s), $run{started}.",
		'', 'Medians of the rounds, in brackets the least and the greatest. A ratio is how many times as good order_ext is, by rounds.',
		'', '| | unit | order_ext | best peer | | order_ext is | of the floor |', '|---|---|--:|---|--:|--:|--:|');

	foreach my $r (@results)
	{
		my ($ours, $best, $floor) = ($r->{sides}{order_ext}, best_peer($r), $r->{sides}{floor});
		push @lines, '| ' . join(' | ', $r->{title}, $r->{unit}, $ours ? of_rounds($ours->{value}) : '–', $best // '–',
			$best ? of_rounds($r->{sides}{$best}{value}) : '–',
			$best ? of_rounds($r->{sides}{$best}{order_ext_is}) : '–', $floor ? of_rounds($floor->{order_ext_is}) : '–') . ' |';
	}
	push @lines, '', 'All sides; processor is that of the server\'s processes for one unit, in microseconds.', '',
		'| | unit | side | value | order_ext is | processor |', '|---|---|---|--:|--:|--:|';
	foreach my $r (@results)
	{
		foreach my $side (sort keys %{ $r->{sides} })
		{
			my $s = $r->{sides}{$side};
			push @lines, '| ' . join(' | ', $r->{id}, $r->{unit}, $side, of_rounds($s->{value}), of_rounds($s->{order_ext_is}),
				of_rounds($s->{cpu_us})) . ' |';
		}
	}
	push @lines, '', '## What is unfair about it', '', map { "- $_->{id}: $_->{unfair}" } @results;
	push @lines, '', '## What was used', '', map { "- $_: $run{versions}{$_}" } sort keys %{ $run{versions} };
	push @lines, map { "- skipped: $_->{side} ($_->{why})" } @{ $run{skipped} };
	push @lines, '- ' . join(', ', map { "$_ = $run{settings}{$_}" } sort keys %{ $run{settings} });
	push @lines, '- ' . join(', ', map { "$_ $run{options}{$_}" } sort keys %{ $run{options} });
	return join("\n", @lines) . "\n";
}

sub write_file
{
	my ($name, $text) = @_;

	open(my $out, '>:utf8', $name) or die "$name: $!\n";
	print $out $text;
	close($out) or die "$name: $!\n";
	return;
}

# gnuplot(SCRIPT): whether it could be plotted
sub gnuplot
{
	my ($script) = @_;

	open(my $out, '|-', 'gnuplot') or return 0;
	binmode $out, ':utf8';
	print $out $script;
	return close($out);
}

my %color = (order_ext => '#1b6ca8', plpgsql => '#c44e52', skip_locked => '#dd8452', pgq => '#55a868',
	graphile => '#8172b3', pgboss => '#937860', none => '#8c8c8c', select1 => '#b0b0b0', floor => '#333333');
my @sides = qw(order_ext plpgsql skip_locked pgq graphile pgboss none select1 floor);

# How many times as good order_ext is as the best peer and as the floor, on a logarithmic axis.
sub plot_ratios
{
	my ($file) = @_;
	my @results = grep { best_peer($_) || $_->{sides}{floor} } results();
	my (@labels, @peers, @floors);

	foreach my $i (0 .. $#results)
	{
		my $r = $results[ $#results - $i ];
		my $best = best_peer($r);
		my $row = sub { my ($s) = @_; return join(' ', map({ $s->{$_} } qw(median least greatest)), $i) . "\n"; };
		push @labels, "'$r->{id}" . ($best ? " / $best" : '') . "' $i";
		push @peers, $row->($r->{sides}{$best}{order_ext_is}) if $best && $r->{sides}{$best}{order_ext_is};
		push @floors, $row->($r->{sides}{floor}{order_ext_is}) if $r->{sides}{floor} && $r->{sides}{floor}{order_ext_is};
	}
	return 1 if !@labels;
	my $height = 120 + 22 * @labels;
	my $range = $#labels + 0.5;
	my (@data, @plots);
	if (@peers)
	{
		push @data, "\$peers << EOD\n@{[join '', @peers]}EOD";
		push @plots, "\$peers using 1:4:2:3 with xerrorbars pt 7 ps 0.7 lc rgb '$color{order_ext}' title 'against the best peer'";
	}
	if (@floors)
	{
		push @data, "\$floors << EOD\n@{[join '', @floors]}EOD";
		push @plots, "\$floors using 1:4:2:3 with xerrorbars pt 5 ps 0.6 lc rgb '$color{floor}' title 'against the floor'";
	}
	my $data = join "\n", @data;
	my $plots = join ', ', @plots, "'+' using (1):(NaN) notitle";
	my $labels = join ', ', @labels;
	return gnuplot(<<"EOF");
set terminal svg size 900,$height font 'sans-serif,11' background 'white'
set output '$file'
set encoding utf8
set title 'How many times as good order_ext is (1: the same; bars: least and greatest of the rounds)' noenhanced
set ytics ($labels) noenhanced
set yrange [-0.5:$range]
set logscale x 2
set grid x lc rgb '#dddddd'
set arrow from 1, graph 0 to 1, graph 1 nohead lc rgb '#888888'
set key top outside horizontal center
$data
plot $plots
EOF
}

# Every metric by side: bars.
sub plot_figures
{
	my ($file) = @_;
	my @results = results();
	my $rows = int((@results + 2) / 3);
	my $height = 40 + 230 * $rows;
	my $script = "set terminal svg size 1200,$height font 'sans-serif,10' background 'white'\nset output '$file'\nset encoding utf8\n"
		. "set multiplot layout $rows,3\nset style fill solid 0.85\nset boxwidth 0.7\nunset key\nset grid y lc rgb '#dddddd'\nset yrange [0:*]\n";

	foreach my $r (@results)
	{
		my @of = grep { $r->{sides}{$_} } @sides;
		my $x = 0;
		my $data = join '', map { my $v = $r->{sides}{$_}{value}; join(' ', $x++, @{$v}{qw(median least greatest)}, hex(substr $color{$_}, 1)) . "\n" } @of;
		$x = 0;
		my $tics = join ', ', map { "'$_' " . $x++ } @of;
		my $range = @of - 0.4;
		$script .= "set title '$r->{id} ($r->{unit}, $r->{better} is better)' noenhanced\nset xtics ($tics) noenhanced rotate by -20\nset xrange [-0.6:$range]\n"
			. "\$d << EOD\n${data}EOD\nplot \$d using 1:2:5 with boxes lc rgb variable, \$d using 1:2:3:4 with yerrorbars pt 0 lc rgb '#000000'\n";
	}
	return gnuplot("${script}unset multiplot\n");
}

sub write_report
{
	my $name = opt('out') . '/' . strftime('%Y%m%d-%H%M%S', gmtime);

	$run{finished} = strftime('%Y-%m-%dT%H:%M:%SZ', gmtime);
	$run{machine}{load_after} = 0 + of_file('/proc/loadavg', qr/^(\S+)/);
	$run{skipped} = [skipped()];
	$run{versions} = { versions(), postgresql => sql('postgres', "SELECT 'PostgreSQL ' || current_setting('server_version')") };
	$run{versions}{node} = first_line(`node --version 2>/dev/null`) if there('graphile') || there('pgboss');
	$run{metrics} = [results()];

	write_file("$name.json", JSON::PP->new->ascii->pretty->canonical->encode(\%run));
	write_file("$name.md", markdown());
	if (first_line(`command -v gnuplot 2>/dev/null`) eq '') { say 'skipped: plots (gnuplot is missing: Debian has it as gnuplot-nox)'; }
	else
	{
		plot_ratios("$name-ratios.svg") && plot_figures("$name-figures.svg") or die "gnuplot failed\n";
	}
	binmode STDOUT, ':utf8';
	say "\n" . markdown();
	say "written: $name.json, .md and, where there is gnuplot, -ratios.svg and -figures.svg";
	return;
}

1;

# The floor of a workload: the rows that order_ext has just written for it, written again into empty
# tables of the same columns and indexes by bulk statements without any logic (no constraints, triggers
# or reads but of the rows themselves), with as many commits by as many clients. Which rows and how many
# updates, deletes and commits these were is read from the WAL.
package BenchFloor;

use strict;
use warnings;

use BenchServer;
use Exporter 'import';
use JSON::PP;
use Time::HiRes qw(time);

our @EXPORT = qw(floor_begin floor_learn floor_run);

my $tables_sql = <<'SQL';
SELECT pg_relation_filenode(c.oid), c.oid::regclass, pg_relation_size(c.oid) / current_setting('block_size')::int
FROM pg_class AS c
WHERE c.relkind = 'r' AND c.relnamespace IN ('order_ext_internal'::regnamespace, 'public'::regnamespace)
SQL

# Of these tables: their columns, one that is in no index (an update of it stays in its page), their
# options and their indexes.
my $facts_sql = <<'SQL';
SELECT json_object_agg(c.oid::regclass, json_build_object(
	'columns', (SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
		WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped),
	'free', (SELECT quote_ident(attname) FROM pg_attribute
		WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped
			AND NOT EXISTS (SELECT FROM pg_index WHERE indrelid = attrelid AND attnum = ANY (indkey))
		ORDER BY attname = 'version' DESC, atttypid = 'bigint'::regtype DESC, attnum LIMIT 1),
	'options', array_to_string(c.reloptions, ', '),
	'indexes', array(SELECT replace(pg_get_indexdef(indexrelid), E'\n', ' ') FROM pg_index
		WHERE indrelid = c.oid AND pg_get_indexdef(indexrelid) !~ ' USING brin ')))
FROM pg_class AS c WHERE c.oid = ANY (ARRAY[TABLES]::regclass[])
SQL

# What there is before the workload: tables and their pages.
sub floor_begin
{
	return { map { my @row = split /\|/; $row[0] => { name => $row[1], pages => $row[2] } } split /\n/, sql('floor', $tables_sql) };
}

# What a record of the WAL does to rows of a table.
my %kind = (INSERT => 'ins', MULTI_INSERT => 'ins', UPDATE => 'upd', HOT_UPDATE => 'upd', DELETE => 'del');

# floor_learn(BEFORE, FROM, TO, CLIENTS): keeps what is needed to write it again
sub floor_learn
{
	my ($before, $from, $to, $clients) = @_;
	my (%counts, $commits);

	open(my $wal, '-|', 'sh', '-c', 'exec "$@" 2>/dev/null', 'sh', waldump($from, $to)) or die "pg_waldump: $!\n";
	while (<$wal>)
	{
		if (/^rmgr: Heap.*?desc: (?:[A-Z]+ )?(INSERT|MULTI_INSERT|UPDATE|HOT_UPDATE|DELETE)(?:\+INIT)? (?:(\d+) tuples)?.*?blkref #0: rel \d+\/\d+\/(\d+)/)
		{
			$counts{$3}{ $kind{$1} } += $2 // 1 if $before->{$3};
		}
		elsif (/^rmgr: Transaction .*?desc: COMMIT/) { $commits++; }
	}
	close($wal);
	die "there is nothing of it in the WAL\n" if !%counts;

	my (@setup, @work);
	foreach my $node (sort keys %counts)
	{
		my ($name, $pages) = @{ $before->{$node} }{qw(name pages)};
		my ($ins, $upd, $del) = map { $counts{$node}{$_} // 0 } qw(ins upd del);
		my $table = $name =~ s/.*\.//r;
		my $rows = $ins || ($upd > $del ? $upd : $del);
		# The newest rows; they are in what was the last page and after it.
		my $where = $ins && $pages > 0 ? 'WHERE ctid >= \'(' . ($pages - 1) . ',0)\' ORDER BY ctid DESC' : '';

		push @setup, "CREATE UNLOGGED TABLE floor.$table AS SELECT *, row_number() OVER () AS floor_row
			FROM (SELECT * FROM $name $where LIMIT $rows) AS t";
		push @work, { table => $table, name => $name, ins => $ins, upd => $upd, del => $del };
	}
	my $found = join ' UNION ALL ', map { "SELECT '$_->{name}', count(*) FROM floor.$_->{table}" } @work;
	my %found = map { split /\|/ } split /\n/, sql('floor', 'DROP SCHEMA IF EXISTS floor CASCADE', 'CREATE SCHEMA floor', @setup, $found);
	my $of = decode_json(sql('floor', $facts_sql =~ s/TABLES/join ', ', map { "'$_->{name}'" } @work/er));
	@work = grep { $_->{found} > 0 } map { +{ %$_, %{ $of->{ $_->{name} } }, found => $found{ $_->{name} } } } @work;
	return { work => \@work, commits => $commits // 0, clients => $clients };
}

# An empty table as the original, for half of the rows; its indexes are not unique, as the same rows
# may come again, and those that are summarized later, by others, are left out.
sub empty_table
{
	my ($schema, $t) = @_;

	return ("CREATE TABLE $schema.$t->{table} (LIKE $t->{name} INCLUDING STORAGE INCLUDING COMPRESSION)"
			. ($t->{options} ? " WITH ($t->{options})" : ''),
		map { s/^CREATE (?:UNIQUE )?INDEX \S+ ON (?:ONLY )?\S+/CREATE INDEX ON $schema.$t->{table}/r } @{ $t->{indexes} });
}

# The statements of one half. Updates go over the rows as often as it takes.
sub half
{
	my ($schema, $half, $t) = @_;
	my ($columns, $free, $found) = @{$t}{qw(columns free found)};
	my (@before, @timed);

	my $mine = "floor_row % 2 = $half";
	my $insert = "INSERT INTO $schema.$t->{table} ($columns) SELECT $columns FROM floor.$t->{table}";
	if ($t->{ins})
	{
		# A row that is gone again is replaced by another one.
		for (my $left = $t->{ins}; $left > 0; $left -= $found)
		{
			push @timed, "$insert WHERE $mine AND floor_row <= $left";
		}
	}
	else
	{
		push @before, "$insert WHERE $mine";
	}
	my $rows = $t->{ins} || $found;
	for (my $left = $t->{upd}; $left > 0 && $free; $left -= $rows)
	{
		my $some = $left < $rows ? "WHERE ctid = ANY (ARRAY(SELECT ctid FROM $schema.$t->{table} LIMIT " . int($left / 2) . '))' : '';
		my $set = $free eq 'version' ? "$free + 1" : $free;
		push @timed, "UPDATE $schema.$t->{table} SET $free = $set $some";
	}
	push @timed, "DELETE FROM $schema.$t->{table} WHERE ctid = ANY (ARRAY(SELECT ctid FROM $schema.$t->{table} LIMIT " . int($t->{del} / 2) . '))'
		if $t->{del} > 1;
	return (\@before, \@timed);
}

# Writes it all again: two sessions write the rows, the clients commit.
sub floor_run
{
	my ($floor, $units) = @_;
	my @timed;

	foreach my $half (0, 1)
	{
		my $schema = "floor_$half";
		my (@setup, @statements);

		foreach my $t (@{ $floor->{work} })
		{
			my ($before, $timed) = half($schema, $half, $t);
			push @setup, empty_table($schema, $t), @$before;
			push @statements, @$timed;
		}
		sql('floor', "DROP SCHEMA IF EXISTS $schema CASCADE", "CREATE SCHEMA $schema", @setup);
		push @timed, sql_file($schema, @statements) if @statements;
	}
	sql('floor', 'CHECKPOINT') if opt('warm');

	my $each = int($floor->{commits} / $floor->{clients});
	my %figures = measured('floor', sub {
		my $started = time;
		my @pids = map { my $file = $_; background(sub { psql('floor', {}, '-f', $file); }) } @timed;
		my $ok = eval { scalar pgbench('floor', 'commit.pgbench', {}, $floor->{clients}, '-t', $each) if $each > 0; 1 };
		wait_for(@pids);
		die $@ if !$ok;
		return (units => $units, seconds => time - $started);
	});
	my %wal = wal_of(@figures{qw(from to)});
	$figures{rows} += ($_->{ins} + $_->{upd} + $_->{del}) / $units foreach @{ $floor->{work} };
	$figures{commits} = $floor->{commits} / $units;
	@figures{qw(wal_bytes wal_images)} = map { $_ / $units } @wal{qw(bytes images)};
	sql('floor', 'DROP SCHEMA floor_0, floor_1 CASCADE');
	return %figures;
}

1;

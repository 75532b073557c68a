# What bench/run runs once its cluster is there.
use strict;
use warnings;

use BenchReport;
use BenchScenarios;
use BenchSides;

$| = 1;
find_sides();
set_up();
begin_report();
run_scenarios();
write_report();
